// A typed client for coid's socket.
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
import { type WaitLimits, waitWhileAlive } from './wait-for-reply.ts';

export interface CoidOptions {
  signal?: AbortSignal;
  /** Total limit. Without one the call waits while coid is alive, for two minutes at most. */
  timeoutMs?: number;
}

/** coid's calls. All throw CoiError: `coid-unreachable`, `coid-version`, `timeout`, `cancelled`, or coid's own error. */
export interface Coid {
  status(options?: CoidOptions): Promise<DaemonStatus>;
  /** Reserves slot, name, address and mounts for a new session. coid undoes it unless it becomes a container within a minute. */
  reserve(request: ReserveRequest, options?: CoidOptions): Promise<Reservation>;
  /** Releases a reservation that has not become a container; otherwise does nothing. */
  release(id: string, options?: CoidOptions): Promise<void>;
  /** Recreates the mounts of a stopped container before it starts, as its `user.coi.mounts` or the request says. */
  remount(
    container: string,
    request: RemountRequest,
    options?: CoidOptions,
  ): Promise<readonly ReservedMount[]>;
  /** Reports that the start of a stopped container failed, so that its session can be started again at once. */
  releaseStart(startId: string, options?: CoidOptions): Promise<void>;
  /** Unblocks the processes of a container that is being killed, and reports what still blocks it. */
  freeStuck(container: string, id: string, options?: CoidOptions): Promise<StuckReply>;
  /** Gives files that containers of a workspace left behind to its owner. May take minutes: it checks every file. */
  fixOwnership(request: OwnershipRequest, options?: CoidOptions): Promise<OwnershipReply>;
  /** The running sessions of a workspace, and the latest ended ones with the files stripped at their end. */
  endedSessions(request: EndedRequest, options?: CoidOptions): Promise<EndedReply>;
  /** A session's network policy and recent denials. */
  network(container: string, options?: CoidOptions): Promise<NetworkReport>;
  /** Permits an entry (as in `allowed_domains`) to a running session for a limited time. */
  permit(container: string, request: PermitRequest, options?: CoidOptions): Promise<PermitReply>;
  /** Current activity of one running session of the user. */
  monitor(container: string, options?: CoidOptions): Promise<Snapshot>;
  /** Current activity of all running sessions of the user. */
  monitors(options?: CoidOptions): Promise<readonly Snapshot[]>;
  /** Lines of a session's audit log after that number; `waitMs` is how long to wait for one. */
  audit(
    container: string,
    range: { after: number; waitMs: number },
    options?: CoidOptions,
  ): Promise<AuditReply>;
}

export interface OpenCoidOptions {
  readonly socketPath: string;
  /** Called once per slow call with a line that says what coi is waiting for. */
  readonly onWait?: ((line: string) => void) | undefined;
  /** For tests. */
  readonly limits?: WaitLimits | undefined;
}

/** coid answers within milliseconds unless it waits for Incus, with a limit of 30 s for each of the few calls of a start. */
const defaultLimits: WaitLimits = { silenceMs: 10_000, wholeMs: 120_000 };
const giveBackMs = 15 * 60_000;
const uri = encodeURIComponent;

/** Path of coid's socket: below `$COI_RUN_DIR`, or /run/coi. */
export function coidSocketPath(env: Readonly<Record<string, string | undefined>>): string {
  return join(env['COI_RUN_DIR'] || defaultRunDir, socketName);
}

/** Opens a new connection for every call, so there is nothing to close. */
export function openCoid({ socketPath, onWait, limits = defaultLimits }: OpenCoidOptions): Coid {
  const isAlive = async (options: CoidOptions): Promise<AliveReply | undefined> => {
    const reply = await callCoid({ socketPath, method: 'GET', path: '/v1/alive' }, options);
    return reply as AliveReply;
  };
  const call = (method: string, path: string, body?: unknown, options: CoidOptions = {}) => {
    const wanted = { socketPath, method, path, body };
    if (options.timeoutMs !== undefined) return callCoid(wanted, options);
    const { signal } = options;
    return waitWhileAlive((until) => callCoid(wanted, { signal: until }), {
      isAlive,
      limits,
      signal,
      onWait: onWait ?? (() => {}),
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
    releaseStart: async (startId, options) =>
      void (await call('DELETE', `/v1/starts/${uri(startId)}`, undefined, options)),
    freeStuck: async (container, id, options) =>
      (await call('POST', `/v1/containers/${uri(container)}/free`, { id }, options)) as StuckReply,
    fixOwnership: async (request, options) =>
      (await call('POST', '/v1/ownership', request, {
        timeoutMs: giveBackMs,
        ...options,
      })) as OwnershipReply,
    endedSessions: async (request, options) =>
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
