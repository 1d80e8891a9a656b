// What coid does when it is asked: reserve, release, mount again. Glue between the allocator, the mounts and Incus.
import { randomUUID } from 'node:crypto';
import { CoiError } from '../errors.ts';
import type { Homes } from '../host/accounts.ts';
import type { Libc } from '../host/libc.ts';
import { untilNoLxcMonitor } from '../host/lxc-monitor.ts';
import type { Peer } from '../host/peer.ts';
import type { Incus } from '../incus/client.ts';
import type { Instance } from '../incus/shapes.ts';
import { quoted } from '../names.ts';
import { plainPolicy } from '../network/policy.ts';
import { untilIdle } from '../session/busy.ts';
import { type SessionRecord, sessionRecord } from '../session/record.ts';
import { allocate, type IdRange, takenBy, unionOf } from './allocate.ts';
import type { Bridge } from './bridge.ts';
import { type Claim, type Claims, claimAgain, withoutSession } from './claims.ts';
import type { Ends } from './ends.ts';
import { keptWhileMade, type Lease, type Leases } from './leases.ts';
import type { Log } from './log.ts';
import type { MountRoots } from './mount-roots.ts';
import { isTreeId, type MountTrees } from './mount-trees.ts';
import type { SessionGuards } from './network/guards.ts';
import { refuseOtherMode, treesOf } from './network/live-modes.ts';
import { allowOwnIds } from './own-ids.ts';
import { guardOpened } from './protect/guardable.ts';
import type { Keeper } from './protect/keeper.ts';
import type {
  MountRequest,
  RemountRequest,
  Reservation,
  ReservedMount,
  ReserveRequest,
  SessionsReply,
} from './protocol.ts';
import type { RemoteFiles } from './remote-files.ts';
import { mountsOf, optionsOf, type Restored, restoreMounts } from './restore.ts';
import { Sources } from './sources.ts';
import { type FileOwner, ownerOf } from './whose.ts';
import type { World } from './world.ts';

export interface ServiceParts {
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

export class Service {
  readonly #parts: ServiceParts;

  constructor(parts: ServiceParts) {
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
