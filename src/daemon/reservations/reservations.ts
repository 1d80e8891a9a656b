// Reservations: all that a create call needs, given out in one step and undone where no container comes of it.
import { randomUUID } from 'node:crypto';
import type {
  Reservation,
  ReserveRequest,
  SessionsReply,
} from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Homes } from '../../host/linux/accounts.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { untilNoLxcMonitor } from '../../host/linux/lxc-monitor.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { quoted } from '../../names.ts';
import { plainPolicy } from '../../network/policy.ts';
import { untilIdle } from '../../session/lifecycle/incus-operations.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import { Sources } from '../mounts/mount-sources.ts';
import type { MountTrees } from '../mounts/mount-trees.ts';
import { allowOwnIds } from '../mounts/own-ids.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';
import { optionsOf } from '../mounts/restore.ts';
import type { SessionGuards } from '../network/guards.ts';
import { refuseOtherMode } from '../network/mode-conflicts.ts';
import { guardOpened } from '../protect/guard/guardable.ts';
import type { Keeper } from '../protect/workspace-guards.ts';
import type { World } from '../reconcile/incus-cache.ts';
import type { Ends } from '../reconcile/session-notes.ts';
import { allocate, type IdRange, takenBy, unionOf } from './allocate.ts';
import type { Bridge } from './bridge.ts';
import { type FileOwner, ownerOf } from './file-owner.ts';
import { keptWhileMade, type Lease, type Leases } from './leases.ts';
import { type Claim, type Claims, withoutSession } from './session-claims.ts';

export interface ReservationParts {
  readonly incus: Incus;
  readonly signal: AbortSignal;
  readonly libc: Libc;
  readonly world: World;
  readonly trees: MountTrees;
  readonly roots: MountRoots;
  readonly files: RemoteFiles;
  readonly leases: Leases;
  readonly guards: Pick<SessionGuards, 'reserve' | 'release' | 'restart'>;
  readonly keeper: Pick<Keeper, 'protect' | 'drop' | 'has'>;
  readonly ends: Ends;
  readonly homes: Homes;
  readonly claims: Claims;
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

  /** Everything a create call needs. From the allocation on nothing waits, so no two reservations can meet. */
  async reserve(request: ReserveRequest, peer: Peer): Promise<Reservation> {
    const { world, leases, guards, keeper, roots, files, log, elapsedMs, claims } = this.#parts;
    const [instances, bridge] = await Promise.all([
      world.instances(),
      world.bridge(),
      files.require(request),
    ]);
    using sources = new Sources(optionsOf(this.#parts, request, peer));
    const workspace = sources.workspace();
    sources.open(request.mounts);
    const owner = ownerOf(this.#parts.libc, peer, workspace.stats);
    const { session, startId } = request;
    const claim: Claim = { kind: 'new', ownerUid: owner.uid, session, startId, pid: peer.pid };
    const now = await withoutSession(instances, () => world.look(), claim);
    const asked = { name: 'workspace', source: request.workspace, readonly: false };
    const trees = roots.rootsOf([{ request: asked, source: workspace }, ...sources.all]);
    refuseOtherMode(this.#parts, now, trees, request.network);
    claims.refuse(claim);
    leases.refuseTooMany(peer);
    const place = this.#place(request, owner, now, bridge);
    const { id, container } = place;
    claims.take(claim, container);
    const lease: Lease = {
      reservation: place,
      workspace: request.workspace,
      policy: request.policy ?? plainPolicy(request.network),
      uid: peer.uid,
      expiresMs: elapsedMs() + this.#parts.leaseMs,
    };
    // Written down first: whatever is mounted after this is found by the next coid.
    leases.add(lease);
    try {
      // The guard's program runs while the mounts are made.
      const guarded = guards.reserve(place, request);
      guarded.catch(() => undefined);
      const free = this.#untilNameFree(container);
      free.catch(() => undefined);
      roots.set(id, sources.all);
      const inside = guardOpened(this.#parts, place, sources.all, request);
      const reservation = { ...place, mounts: this.#parts.trees.make(place, sources.all, inside) };
      leases.add({ ...lease, reservation });
      const { runDir, ends } = this.#parts;
      ends.begin({ ...place, runDir, mounts: request.mounts }, container, request);
      await Promise.all([guarded, free, allowOwnIds(this.#parts, reservation, request.mounts)]);
      const { uid } = peer;
      log('info', 'reserved', { id, container, uid, owner: place.ownerUid, ip: place.nic.address });
      return reservation;
    } catch (error) {
      this.#parts.trees.remove(id);
      leases.remove(id);
      keeper.drop(id);
      this.#parts.ends.forget(id);
      roots.forget(id);
      claims.settled(container);
      await guards.release(place).catch(() => undefined);
      throw error;
    }
  }

  /**
   * What had that name before may be gone from Incus's list while Incus still stops it: it would take the new one for
   * running. Nothing waits where there was none.
   */
  async #untilNameFree(container: string): Promise<void> {
    const { incus, signal } = this.#parts;
    await untilIdle(incus, container, nameFreeSeconds, signal);
    await untilNoLxcMonitor(container);
  }

  /** The reservations of that user that are not yet containers. */
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
    const { trees, leases, guards, keeper, log } = this.#parts;
    const lease = leases.get(id);
    if (!lease) return;
    if (peer.uid !== 0 && peer.uid !== lease.uid && peer.uid !== lease.reservation.ownerUid)
      throw new CoiError('session-not-found', `there is no reservation ${quoted(id)} of this user`);
    // Who gives it back may have lost Incus, which goes on: the looks that follow see what comes of it.
    if (await keptWhileMade(this.#parts, id)) return;
    trees.remove(id);
    leases.remove(id);
    keeper.drop(id);
    this.#parts.ends.forget(id);
    this.#parts.roots.forget(id);
    this.#parts.claims.settled(lease.reservation.container);
    await guards.release(lease.reservation);
    log('info', 'released', { id });
  }

  /** What is given out, with no mounts yet. */
  #place(
    request: ReserveRequest,
    owner: FileOwner,
    instances: readonly Instance[],
    bridge: Bridge,
  ): Reservation {
    const id = randomUUID();
    const taken = unionOf([takenBy(instances), this.#parts.leases.taken()]);
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
