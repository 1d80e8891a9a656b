// Reservations: everything a new container needs, allocated in one step and undone if no container is created.
import { randomUUID } from 'node:crypto';
import type {
  Reservation,
  ReserveRequest,
  SessionsReply,
} from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Homes } from '../../host/linux/accounts.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { waitForNoLxcMonitor } from '../../host/linux/lxc-monitor.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { quoted } from '../../names.ts';
import { defaultPolicy } from '../../network/policy.ts';
import { waitUntilIdle } from '../../session/lifecycle/incus-operations.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import { MountSources } from '../mounts/mount-sources.ts';
import type { MountTrees } from '../mounts/mount-trees.ts';
import { allowOwnIds } from '../mounts/own-ids.ts';
import type { RemoteFileSystems } from '../mounts/remote-file-systems.ts';
import { requestOptions } from '../mounts/restore.ts';
import { refuseOtherMode } from '../network/mode-conflicts.ts';
import type { NetworkGuards } from '../network/network-guards.ts';
import { guardMounts } from '../protect/guard/guard-mounts.ts';
import type { WorkspaceGuards } from '../protect/workspace-guards.ts';
import type { IncusCache } from '../reconcile/incus-cache.ts';
import type { SessionNotes } from '../reconcile/session-notes.ts';
import { allocate, type IdRange, mergeUsed, usedByInstances } from './allocate.ts';
import type { Bridge } from './bridge.ts';
import { type FileOwner, ownerOf } from './file-owner.ts';
import { extendWhileCreating, type Lease, type Leases } from './leases.ts';
import { requireNotLive, type StartLock, type StartLocks } from './start-locks.ts';

export interface ReservationParts {
  readonly incus: Incus;
  readonly signal: AbortSignal;
  readonly libc: Libc;
  readonly incusCache: IncusCache;
  readonly trees: MountTrees;
  readonly roots: MountRoots;
  readonly files: RemoteFileSystems;
  readonly leases: Leases;
  readonly guards: Pick<NetworkGuards, 'reserve' | 'release' | 'restart'>;
  readonly workspaceGuards: Pick<WorkspaceGuards, 'protect' | 'drop' | 'has'>;
  readonly notes: SessionNotes;
  readonly homes: Homes;
  readonly startLocks: StartLocks;
  readonly ids: IdRange;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
  /** How long a reservation may stay unused. */
  readonly leaseMs: number;
}

const nameFreeSeconds = 10;

export class Reservations {
  readonly #parts: ReservationParts;

  constructor(parts: ReservationParts) {
    this.#parts = parts;
  }

  /** Reserves everything for a new container. No await between allocation and lease, so reservations cannot collide. */
  async reserve(request: ReserveRequest, peer: Peer): Promise<Reservation> {
    const {
      incusCache,
      leases,
      guards,
      workspaceGuards,
      roots,
      files,
      log,
      elapsedMs,
      startLocks,
    } = this.#parts;
    const [instances, bridge] = await Promise.all([
      incusCache.instances(),
      incusCache.bridge(),
      files.requireResponsive(request),
    ]);
    using sources = new MountSources(requestOptions(this.#parts, request, peer));
    const workspace = sources.workspace();
    sources.open(request.mounts);
    const owner = ownerOf(this.#parts.libc, peer, workspace.stats);
    const { session, startId } = request;
    const claim: StartLock = { kind: 'new', ownerUid: owner.uid, session, startId, pid: peer.pid };
    const now = await requireNotLive(instances, () => incusCache.refetch(), claim);
    const workspaceRequest = { name: 'workspace', source: request.workspace, readonly: false };
    const trees = roots.rootsOf([{ request: workspaceRequest, source: workspace }, ...sources.all]);
    refuseOtherMode(this.#parts, now, trees, request.network);
    startLocks.check(claim);
    leases.refuseTooMany(peer);
    const allocated = this.#allocate(request, owner, now, bridge);
    const { id, container } = allocated;
    startLocks.acquire(claim, container);
    const lease: Lease = {
      reservation: allocated,
      workspace: request.workspace,
      policy: request.policy ?? defaultPolicy(request.network),
      uid: peer.uid,
      expiresMs: elapsedMs() + this.#parts.leaseMs,
    };
    // Saved first, so that the next coid finds everything that is mounted after this.
    leases.add(lease);
    try {
      // nft runs while the mounts are made.
      const guarded = guards.reserve(allocated, request);
      guarded.catch(() => undefined);
      const free = this.#untilNameFree(container);
      free.catch(() => undefined);
      roots.set(id, sources.all);
      const protection = guardMounts(this.#parts, allocated, sources.all, request);
      const reservation = {
        ...allocated,
        mounts: this.#parts.trees.make(allocated, sources.all, protection),
      };
      leases.add({ ...lease, reservation });
      const { runDir, notes } = this.#parts;
      notes.begin({ ...allocated, runDir, mounts: request.mounts }, container, request);
      await Promise.all([guarded, free, allowOwnIds(this.#parts, reservation, request.mounts)]);
      const { uid } = peer;
      log('info', 'reserved', {
        id,
        container,
        uid,
        owner: allocated.ownerUid,
        ip: allocated.nic.address,
      });
      return reservation;
    } catch (error) {
      this.#parts.trees.remove(id);
      leases.remove(id);
      workspaceGuards.drop(id);
      this.#parts.notes.forget(id);
      roots.forget(id);
      startLocks.releaseContainer(container);
      await guards.release(allocated).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Waits until an earlier container of that name has stopped completely. It may be gone from Incus's list before, and
   * Incus would then think that the new one is running. Returns at once if there was none.
   */
  async #untilNameFree(container: string): Promise<void> {
    const { incus, signal } = this.#parts;
    await waitUntilIdle(incus, container, nameFreeSeconds, signal);
    await waitForNoLxcMonitor(container);
  }

  /** The user's reservations that are not yet containers. */
  sessions({ uid }: Peer): SessionsReply {
    const own = this.#parts.leases
      .all()
      .filter((lease) => uid === 0 || uid === lease.uid || uid === lease.reservation.ownerUid);
    const sessions = own.map(({ workspace, reservation: { id, container, ownerUid, nic } }) => ({
      id,
      container,
      ownerUid,
      workspace,
      address: nic.address,
    }));
    return { sessions };
  }

  /** Undoes a reservation that has not become a container. */
  async release(id: string, peer: Peer): Promise<void> {
    const { trees, leases, guards, workspaceGuards, log } = this.#parts;
    const lease = leases.get(id);
    if (!lease) return;
    if (peer.uid !== 0 && peer.uid !== lease.uid && peer.uid !== lease.reservation.ownerUid)
      throw new CoiError('session-not-found', `this user has no reservation ${quoted(id)}`);
    // The client may have lost its connection while Incus still creates the container: later passes handle that.
    if (await extendWhileCreating(this.#parts, id)) return;
    trees.remove(id);
    leases.remove(id);
    workspaceGuards.drop(id);
    this.#parts.notes.forget(id);
    this.#parts.roots.forget(id);
    this.#parts.startLocks.releaseContainer(lease.reservation.container);
    await guards.release(lease.reservation);
    log('info', 'released', { id });
  }

  /** The reservation, without mounts. */
  #allocate(
    request: ReserveRequest,
    owner: FileOwner,
    instances: readonly Instance[],
    bridge: Bridge,
  ): Reservation {
    const id = randomUUID();
    const taken = mergeUsed([usedByInstances(instances), this.#parts.leases.used()]);
    const wanted = { request, ownerUid: owner.uid, id };
    const allocation = allocate(wanted, taken, bridge, this.#parts.ids);
    const { container, slot, idmapBase, hostName, mac, address } = allocation;
    const { name, gateway, prefixLength } = bridge;
    return {
      id,
      container,
      slot,
      ownerUid: owner.uid,
      ownerGid: owner.gid,
      idmapBase,
      nic: { bridge: name, hostName, mac, address, prefixLength, gateway, nameserver: gateway },
      mounts: [],
    };
  }
}
