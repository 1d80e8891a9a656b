// What coid does when it is asked: reserve, release, mount again. Glue between the allocator, the mounts and Incus.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';
import { type Homes, withoutLinks } from '../host/accounts.ts';
import type { Libc } from '../host/libc.ts';
import type { Peer } from '../host/peer.ts';
import type { Instance } from '../incus/shapes.ts';
import { quoted } from '../names.ts';
import { plainPolicy } from '../network/policy.ts';
import { type SessionRecord, sessionRecord } from '../session/record.ts';
import { allocate, type IdRange, takenBy, unionOf } from './allocate.ts';
import type { Bridge } from './bridge.ts';
import { type Claim, type Claims, withoutSession } from './claims.ts';
import type { Lease, Leases } from './leases.ts';
import type { Log } from './log.ts';
import { isTreeId, type MountTrees } from './mount-trees.ts';
import type { SessionGuards } from './network/guards.ts';
import type { Keeper } from './protect/keeper.ts';
import { insideOf, protectWorkspace } from './protect/sessions.ts';
import type {
  MountRequest,
  RemountRequest,
  Reservation,
  ReservedMount,
  ReserveRequest,
  SessionsReply,
} from './protocol.ts';
import { mountName } from './request.ts';
import type { SetIds } from './set-id.ts';
import { newMounts, type OpenSourcesOptions, openSources } from './sources.ts';
import { type FileOwner, ownerOf, rightsOf, sensitivePaths } from './whose.ts';
import type { World } from './world.ts';

export interface ServiceParts {
  readonly libc: Libc;
  readonly world: World;
  readonly trees: MountTrees;
  readonly leases: Leases;
  readonly guards: Pick<SessionGuards, 'refuseOtherMode' | 'reserve' | 'release' | 'restart'>;
  readonly keeper: Pick<Keeper, 'protect' | 'drop' | 'has'>;
  readonly setIds: Pick<SetIds, 'begin' | 'forget'>;
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

export class Service {
  readonly #parts: ServiceParts;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  /** Everything a create call needs. From the allocation on nothing waits, so no two reservations can meet. */
  async reserve(request: ReserveRequest, peer: Peer): Promise<Reservation> {
    const { world, trees, leases, guards, keeper, log, elapsedMs, claims } = this.#parts;
    const [instances, bridge] = await Promise.all([world.instances(), world.bridge()]);
    leases.refuseTooMany(peer);
    const options = this.#sourceOptions(request, peer);
    const ownMount = { name: 'workspace', source: request.workspace, readonly: false };
    using workspace = openSources([ownMount], options);
    using sources = openSources(request.mounts, options);
    const source = workspace.all[0]?.source;
    guards.refuseOtherMode(instances, source?.path ?? request.workspace, request.network);
    const owner = ownerOf(this.#parts.libc, peer, source?.stats);
    const { session, startId } = request;
    const claim: Claim = { kind: 'new', ownerUid: owner.uid, session, startId, pid: peer.pid };
    const now = await withoutSession(instances, () => world.look(), claim);
    claims.refuse(claim);
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
      const ancestors = protectWorkspace(keeper, place, source, request.protect);
      const inside = insideOf(ancestors, request);
      const reservation = { ...place, mounts: trees.make(place, sources.all, inside) };
      leases.add({ ...lease, reservation });
      const { runDir, setIds } = this.#parts;
      setIds.begin({ ...place, runDir, mounts: request.mounts }, container, request.workspace);
      await guarded;
      const { uid } = peer;
      log('info', 'reserved', { id, container, uid, owner: place.ownerUid, ip: place.nic.address });
      return reservation;
    } catch (error) {
      trees.remove(id);
      leases.remove(id);
      keeper.drop(id);
      this.#parts.setIds.forget(id);
      claims.settled(container);
      await guards.release(place).catch(() => undefined);
      throw error;
    }
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
    const { world, trees, leases, guards, keeper, log } = this.#parts;
    const lease = leases.get(id);
    if (!lease) return;
    if (peer.uid !== 0 && peer.uid !== lease.uid && peer.uid !== lease.reservation.ownerUid)
      throw new CoiError('session-not-found', `there is no reservation ${quoted(id)} of this user`);
    const instances = await world.look();
    if (instances.some(({ config }) => sessionRecord(config)?.mounts.id === id)) return;
    trees.remove(id);
    leases.remove(id);
    keeper.drop(id);
    this.#parts.setIds.forget(id);
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
    const { world, trees, guards, claims, log } = this.#parts;
    const instances = await world.look();
    const { instance, record } = this.#ownContainer(instances, container, request.id, peer);
    const stopped = instance.status === 'Stopped';
    if (request.mounts && !stopped)
      throw new CoiError('session-live', `${container} runs: its mounts cannot be changed`);
    if (stopped) {
      guards.refuseOtherMode(
        instances,
        withoutLinks(record.workspace),
        request.network ?? record.network,
      );
      const { session, mounts } = record;
      const { ownerUid } = mounts;
      const { startId } = request;
      claims.take({ kind: 'again', ownerUid, session, startId, pid: peer.pid }, container);
    }
    const fresh = {
      mounts: newMounts(record.mounts.mounts, request.mounts ?? []),
      options: this.#sourceOptions(record, peer),
    };
    // Before anything is taken away: what may not be mounted is refused now.
    openSources(fresh.mounts, fresh.options)[Symbol.dispose]();
    if (stopped && isTreeId(record.mounts.id)) trees.remove(record.mounts.id);
    const mounted = {
      ...record.mounts,
      mounts: request.mounts ?? record.mounts.mounts,
      protect: request.protect ?? record.mounts.protect,
      secrets: request.secrets ?? record.mounts.secrets,
    };
    const { mounts, errors } = this.restore({ ...record, mounts: mounted }, fresh);
    if (errors.length > 0) throw errors[0];
    await guards.restart(instance);
    log('info', 'remounted', { container, mounts: mounts.length });
    return mounts;
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
      { hint: 'See `coi list`.' },
    );
  }

  /**
   * Makes what is missing of a session's mounts, each by itself. The record was written by a user, so it is checked like a request.
   * What is `fresh` was not allowed before.
   */
  restore(
    { mounts: record, session, workspace }: SessionRecord,
    fresh?: { readonly mounts: readonly MountRequest[]; readonly options: OpenSourcesOptions },
  ): {
    mounts: ReservedMount[];
    errors: unknown[];
  } {
    const { libc, trees, keeper } = this.#parts;
    if (!isTreeId(record.id))
      return {
        mounts: [],
        errors: [new CoiError('mount-invalid', `invalid id of mounts ${quoted(record.id)}`)],
      };
    const mounted = trees.present().get(record.id) ?? new Set();
    const options = {
      libc,
      ids: rightsOf(libc, record),
      session,
      workspace,
      sensitive: sensitivePaths(this.#parts, record.ownerUid),
      again: true,
    };
    const mounts: ReservedMount[] = [];
    const errors: unknown[] = [];
    for (const request of record.mounts) {
      try {
        const hostPath = join(trees.directory, record.id, mountName(request.name));
        if (mounted.has(request.name)) {
          const recursive =
            (record.protect !== undefined || record.secrets !== undefined) &&
            request.name === 'workspace';
          mounts.push({ name: request.name, hostPath, kind: 'idmapped', recursive });
          continue;
        }
        using sources = openSources(
          [request],
          fresh?.mounts.includes(request) ? fresh.options : options,
        );
        const root = request.name === 'workspace' ? sources.all[0]?.source : undefined;
        const ancestors = protectWorkspace(keeper, record, root, record.protect);
        mounts.push(...trees.make(record, sources.all, insideOf(ancestors, record)));
      } catch (error) {
        errors.push(error);
      }
    }
    return { mounts, errors };
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

  #sourceOptions(
    { session, workspace }: Pick<ReserveRequest, 'workspace'> & { readonly session: string },
    peer: Peer,
  ): OpenSourcesOptions {
    const { libc } = this.#parts;
    return {
      libc,
      ids: peer,
      session,
      workspace,
      sensitive: sensitivePaths(this.#parts, peer.uid),
    };
  }
}
