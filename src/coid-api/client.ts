// What can be asked of coid, over its socket.
import { join } from 'node:path';
import type { Snapshot } from '../monitor/snapshot.ts';
import type {
  EndedReply,
  EndedRequest,
  OwnershipReply,
  OwnershipRequest,
} from './ended-protocol.ts';
import { callCoid } from './exchange.ts';
import type { NetworkReport, PermitReply, PermitRequest } from './network-protocol.ts';
import {
  type AliveReply,
  type AuditReply,
  type DaemonStatus,
  defaultRunDir,
  type MonitorsReply,
  socketName,
} from './protocol.ts';
import type { ReservedMount } from './reserved-mount.ts';
import type {
  MountsReply,
  RemountRequest,
  Reservation,
  ReserveRequest,
} from './session-protocol.ts';
import type { StuckReply } from './stuck-protocol.ts';
import { patiently, type WaitLimits } from './wait-for-reply.ts';

export interface CoidOptions {
  signal?: AbortSignal;
  /** The whole limit. Without one it is waited for as long as coid shows that it lives, for two minutes at most. */
  timeoutMs?: number;
}

/** coid's calls. All throw CoiError: `coid-unreachable`, `coid-version`, `timeout`, `cancelled`, or what coid answered. */
export interface Coid {
  status(options?: CoidOptions): Promise<DaemonStatus>;
  /** Slot, name, address and mounts for a new session. Undone by coid unless it becomes a container within a minute. */
  reserve(request: ReserveRequest, options?: CoidOptions): Promise<Reservation>;
  /** Gives a reservation back that has not become a container; does nothing if it has, or if there is none. */
  release(id: string, options?: CoidOptions): Promise<void>;
  /** Makes the mounts of an existing container again, as its `user.coi.mounts` or the request says: before a stopped one is started. */
  remount(
    container: string,
    request: RemountRequest,
    options?: CoidOptions,
  ): Promise<readonly ReservedMount[]>;
  /** Says that a start of a stopped container has failed: its session may be started again at once. */
  giveUp(startId: string, options?: CoidOptions): Promise<void>;
  /** Frees a container that is being killed from what its processes wait for, and says what holds it still. */
  free(container: string, id: string, options?: CoidOptions): Promise<StuckReply>;
  /** Gives what containers of a workspace left to its owner. May take minutes: it looks at every file. */
  giveBack(request: OwnershipRequest, options?: CoidOptions): Promise<OwnershipReply>;
  /** The sessions of a workspace that run, and the last that have ended with what was taken away then. */
  ended(request: EndedRequest, options?: CoidOptions): Promise<EndedReply>;
  /** What a session may reach, and what it was refused of late. */
  network(container: string, options?: CoidOptions): Promise<NetworkReport>;
  /** Opens an entry (as in `allowed_domains`) to a running session for a while. */
  permit(container: string, request: PermitRequest, options?: CoidOptions): Promise<PermitReply>;
  /** What one running session of the user does now. */
  monitor(container: string, options?: CoidOptions): Promise<Snapshot>;
  /** What all running sessions of the user do now. */
  monitors(options?: CoidOptions): Promise<readonly Snapshot[]>;
  /** Lines of a session's audit log after that number; with `waitMs` it waits that long for one. */
  audit(
    container: string,
    range: { after: number; waitMs: number },
    options?: CoidOptions,
  ): Promise<AuditReply>;
}

export interface CoidPlace {
  readonly socketPath: string;
  /** Is told, once for a call that takes long, what is waited for. */
  readonly tell?: ((line: string) => void) | undefined;
  /** For tests. */
  readonly limits?: WaitLimits | undefined;
}

/** coid answers within milliseconds unless it waits for Incus, whose own limit is 30 s for each of the few calls of a start. */
const usualLimits: WaitLimits = { silenceMs: 10_000, wholeMs: 120_000 };
const giveBackMs = 15 * 60_000;
const uri = encodeURIComponent;

/** Path of coid's socket: below `$COI_RUN_DIR`, or /run/coi. */
export function coidSocketPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(env['COI_RUN_DIR'] || defaultRunDir, socketName);
}

/** Connects when it is used, anew for every call: nothing has to be closed. */
export function openCoid({ socketPath, tell, limits = usualLimits }: CoidPlace): Coid {
  const isAlive = async (options: CoidOptions): Promise<AliveReply | undefined> => {
    const reply = await callCoid({ socketPath, method: 'GET', path: '/v1/alive' }, options);
    return reply as AliveReply;
  };
  const call = (method: string, path: string, body?: unknown, options: CoidOptions = {}) => {
    const wanted = { socketPath, method, path, body };
    if (options.timeoutMs !== undefined) return callCoid(wanted, options);
    const { signal } = options;
    return patiently((until) => callCoid(wanted, { signal: until }), {
      isAlive,
      limits,
      signal,
      tell: tell ?? (() => {}),
    });
  };
  return {
    status: async (options) =>
      (await call('GET', '/v1/status', undefined, options)) as DaemonStatus,
    reserve: async (request, options) =>
      (await call('POST', '/v1/sessions', request, options)) as Reservation,
    release: async (id, options) =>
      void (await call('DELETE', `/v1/sessions/${uri(id)}`, undefined, options)),
    remount: async (container, request, options) =>
      (
        (await call(
          'POST',
          `/v1/containers/${uri(container)}/mounts`,
          request,
          options,
        )) as MountsReply
      ).mounts,
    giveUp: async (startId, options) =>
      void (await call('DELETE', `/v1/starts/${uri(startId)}`, undefined, options)),
    free: async (container, id, options) =>
      (await call('POST', `/v1/containers/${uri(container)}/free`, { id }, options)) as StuckReply,
    giveBack: async (request, options) =>
      (await call('POST', '/v1/ownership', request, {
        timeoutMs: giveBackMs,
        ...options,
      })) as OwnershipReply,
    ended: async (request, options) =>
      (await call('POST', '/v1/ended', request, options)) as EndedReply,
    network: async (container, options) =>
      (await call('GET', `/v1/network/${uri(container)}`, undefined, options)) as NetworkReport,
    permit: async (container, request, options) =>
      (await call(
        'POST',
        `/v1/network/${uri(container)}/permits`,
        request,
        options,
      )) as PermitReply,
    monitor: async (container, options) =>
      (await call('GET', `/v1/monitor/${uri(container)}`, undefined, options)) as Snapshot,
    monitors: async (options) =>
      ((await call('GET', '/v1/monitor', undefined, options)) as MonitorsReply).sessions,
    audit: async (container, { after, waitMs }, options) =>
      (await call(
        'GET',
        `/v1/audit/${uri(container)}?after=${after}&wait=${waitMs}`,
        undefined,
        options,
      )) as AuditReply,
  };
}
