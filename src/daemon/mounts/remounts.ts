// Reserves mounts for a container that exists, and makes them again: before a stopped one starts, and after a reboot of the host.
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
import { Sources } from '../mounts/mount-sources.ts';
import type { MountTrees } from '../mounts/mount-trees.ts';
import { allowOwnIds } from '../mounts/own-ids.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';
import { mountsOf, optionsOf, type Restored, restoreMounts } from '../mounts/restore.ts';
import { isTreeId } from '../mounts/tree-id.ts';
import type { SessionGuards } from '../network/guards.ts';
import { refuseOtherMode, treesOf } from '../network/mode-conflicts.ts';
import type { Keeper } from '../protect/workspace-guards.ts';
import type { World } from '../reconcile/incus-cache.ts';
import type { Leases } from '../reservations/leases.ts';
import { type Claims, claimAgain } from '../reservations/session-claims.ts';

export interface RemountParts {
  readonly incus: Incus;
  readonly signal: AbortSignal;
  readonly libc: Libc;
  readonly world: World;
  readonly trees: MountTrees;
  readonly roots: MountRoots;
  readonly files: RemoteFiles;
  readonly leases: Leases;
  readonly guards: Pick<SessionGuards, 'restart'>;
  readonly keeper: Pick<Keeper, 'protect' | 'drop' | 'has'>;
  readonly homes: Homes;
  readonly claims: Claims;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
}

export class Remounts {
  readonly #parts: RemountParts;

  constructor(parts: RemountParts) {
    this.#parts = parts;
  }

  /** Makes the mounts of an existing container again: all of them where it is stopped, the missing ones where it runs. */
  async remount(
    container: string,
    request: RemountRequest,
    peer: Peer,
  ): Promise<readonly ReservedMount[]> {
    const { world, files, guards, claims, incus, log, signal } = this.#parts;
    const instances = await world.look();
    const { instance, record } = this.#ownContainer(instances, container, request.id, peer);
    const stopped = instance.status === 'Stopped';
    const { workspace, mounts: known } = record;
    await files.require({ workspace, mounts: request.mounts ?? known.mounts });
    if (request.mounts && !stopped)
      throw new CoiError('session-live', `${container} runs: its mounts cannot be changed`);
    if (stopped) {
      const trees = treesOf(record, this.#parts.roots);
      refuseOtherMode(this.#parts, instances, trees, request.network ?? record.network);
      const { session, mounts } = record;
      const by = { ownerUid: mounts.ownerUid, startId: request.startId, pid: peer.pid };
      await claimAgain(incus, claims, instance, { kind: 'again', session, ...by }, signal);
    }
    const made =
      stopped && request.mounts
        ? this.#askedAnew(record, request, request.mounts, peer)
        : this.#again(record, request, stopped);
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
    throw new CoiError(
      'session-not-found',
      `there is no container ${quoted(container)} of this user`,
      { hint: 'Run `coi list` to see your sessions.' },
    );
  }

  /** As its user asks for them now: judged like those of a new session. */
  #askedAnew(
    record: SessionRecord,
    { protect, secrets }: RemountRequest,
    requests: readonly MountRequest[],
    peer: Peer,
  ): Restored {
    const { trees, roots } = this.#parts;
    const { id } = record.mounts;
    if (!isTreeId(id)) return this.restore(record);
    const options = optionsOf(this.#parts, record, peer);
    using sources = new Sources({ ...options, before: roots.of(id) });
    // Before anything is taken away: what may not be mounted is refused now.
    const opened = sources.open(requests);
    trees.remove(id);
    roots.set(id, opened);
    const wanted = {
      ...record.mounts,
      protect: protect ?? record.mounts.protect,
      secrets: secrets ?? record.mounts.secrets,
    };
    return { mounts: mountsOf(this.#parts, wanted, opened), errors: [] };
  }

  /** As they were: all of a stopped container, the missing ones of one that runs. */
  #again(record: SessionRecord, { protect, secrets }: RemountRequest, stopped: boolean): Restored {
    const { id } = record.mounts;
    if (stopped && isTreeId(id)) this.#parts.trees.remove(id);
    const mounts = {
      ...record.mounts,
      protect: protect ?? record.mounts.protect,
      secrets: secrets ?? record.mounts.secrets,
    };
    return this.restore({ ...record, mounts });
  }

  restore(session: SessionRecord): Restored {
    return restoreMounts(this.#parts, session);
  }
}
