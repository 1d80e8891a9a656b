// Recreates the mounts of an existing container: before a stopped one starts, and after a host reboot.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { MountRequest, RemountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Homes } from '../../host/linux/accounts.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { quoted } from '../../names.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import { MountSources } from '../mounts/mount-sources.ts';
import type { MountTrees } from '../mounts/mount-trees.ts';
import { allowOwnIds } from '../mounts/own-ids.ts';
import {
  makeMounts,
  type RestoreResult,
  requestOptions,
  restoreMounts,
} from '../mounts/restore.ts';
import { isTreeId } from '../mounts/tree-id.ts';
import { mountedTrees, refuseOtherMode } from '../network/mode-conflicts.ts';
import type { NetworkGuards } from '../network/network-guards.ts';
import type { WorkspaceGuards } from '../protect/workspace-guards.ts';
import type { IncusCache } from '../reconcile/incus-cache.ts';
import type { Leases } from '../reservations/leases.ts';
import { lockRestart, type StartLocks } from '../reservations/start-locks.ts';
import type { RemoteFileSystems } from './remote-file-systems.ts';

export interface RemountParts {
  readonly incus: Incus;
  readonly signal: AbortSignal;
  readonly libc: Libc;
  readonly incusCache: IncusCache;
  readonly trees: MountTrees;
  readonly roots: MountRoots;
  readonly files: RemoteFileSystems;
  readonly leases: Leases;
  readonly guards: Pick<NetworkGuards, 'restart'>;
  readonly workspaceGuards: Pick<WorkspaceGuards, 'protect' | 'drop' | 'has'>;
  readonly homes: Homes;
  readonly startLocks: StartLocks;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
}

export class Remounts {
  readonly #parts: RemountParts;

  constructor(parts: RemountParts) {
    this.#parts = parts;
  }

  /** Recreates the mounts of a container: all if it is stopped, only missing ones if it is running. */
  async remount(
    container: string,
    request: RemountRequest,
    peer: Peer,
  ): Promise<readonly ReservedMount[]> {
    const { incusCache, files, guards, startLocks, incus, log, signal } = this.#parts;
    const instances = await incusCache.refetch();
    const { instance, record } = this.#ownContainer(instances, container, request.id, peer);
    const stopped = instance.status === 'Stopped';
    const { workspace, mounts: known } = record;
    await files.requireResponsive({ workspace, mounts: request.mounts ?? known.mounts });
    if (request.mounts && !stopped)
      throw new CoiError('session-live', `${container} is running: its mounts cannot be changed`);
    if (stopped) {
      const trees = mountedTrees(record, this.#parts.roots);
      refuseOtherMode(this.#parts, instances, trees, request.network ?? record.network);
      const { session, mounts } = record;
      const by = { ownerUid: mounts.ownerUid, startId: request.startId, pid: peer.pid };
      await lockRestart(incus, startLocks, instance, { kind: 'again', session, ...by }, signal);
    }
    const made =
      stopped && request.mounts
        ? this.#mountRequested(record, request, request.mounts, peer)
        : this.#mountRecorded(record, request, stopped);
    if (made.errors.length > 0) throw made.errors[0];
    const wanted = request.mounts ?? record.mounts.mounts;
    await allowOwnIds(this.#parts, { ...record.mounts, ...made }, wanted);
    await guards.restart(instance, request.network);
    log('info', 'remounted', { container, mounts: made.mounts.length });
    return made.mounts;
  }

  /** Throws `session-not-found`. */
  #ownContainer(instances: readonly Instance[], container: string, id: string, peer: Peer) {
    const instance = instances.find(({ name }) => name === container);
    const record = instance && sessionRecord(instance.config);
    if (
      instance &&
      record?.mounts.runDir === this.#parts.runDir &&
      record.mounts.id === id &&
      (peer.uid === 0 || peer.uid === record.mounts.ownerUid)
    )
      return { instance, record };
    throw new CoiError('session-not-found', `this user has no container ${quoted(container)}`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  }

  /** New mounts, as requested by the user: checked like those of a new session. */
  #mountRequested(
    record: SessionRecord,
    { protect, secrets }: RemountRequest,
    requests: readonly MountRequest[],
    peer: Peer,
  ): RestoreResult {
    const { trees, roots } = this.#parts;
    const { id } = record.mounts;
    if (!isTreeId(id)) return this.restore(record);
    const options = requestOptions(this.#parts, record, peer);
    using sources = new MountSources({ ...options, earlier: roots.of(id) });
    // Refuse forbidden mounts before anything is removed.
    const opened = sources.open(requests);
    trees.remove(id);
    roots.set(id, opened);
    const wanted = {
      ...record.mounts,
      protect: protect ?? record.mounts.protect,
      secrets: secrets ?? record.mounts.secrets,
    };
    return { mounts: makeMounts(this.#parts, wanted, opened), errors: [] };
  }

  /** The recorded mounts: all of a stopped container, missing ones of a running one. */
  #mountRecorded(
    record: SessionRecord,
    { protect, secrets }: RemountRequest,
    stopped: boolean,
  ): RestoreResult {
    const { id } = record.mounts;
    if (stopped && isTreeId(id)) this.#parts.trees.remove(id);
    const mounts = {
      ...record.mounts,
      protect: protect ?? record.mounts.protect,
      secrets: secrets ?? record.mounts.secrets,
    };
    return this.restore({ ...record, mounts });
  }

  restore(session: SessionRecord): RestoreResult {
    return restoreMounts(this.#parts, session);
  }
}
