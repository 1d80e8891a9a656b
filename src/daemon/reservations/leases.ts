// Reservations that are not yet containers. Each is also a file in the run directory, so that it survives a kill of coid.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { PolicyRecord } from '../../coid-api/network-protocol.ts';
import type { Reservation } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Incus } from '../../incus/client.ts';
import { runningTasks } from '../../session/lifecycle/incus-operations.ts';
import { findByRef } from '../../session/record/change-instance.ts';
import { isTreeId } from '../mounts/tree-id.ts';
import { readState, type StateShape, stateFiles, writeState } from '../state-file.ts';
import { idsKey, type UsedResources } from './allocate.ts';

/** Enough for simultaneous starts; each lease lasts at most a minute. */
const leasesPerUserMax = 64;

export interface Lease {
  readonly reservation: Reservation;
  readonly workspace: string;
  /** The session's network policy. */
  readonly policy: PolicyRecord;
  /** uid of the requesting peer, who may release it. */
  readonly uid: number;
  /** Monotonic milliseconds of this coid; reset when coid starts. */
  readonly expiresMs: number;
}

export class Leases {
  readonly #directory: string;
  readonly #leases = new Map<string, Lease>();
  /** Leases whose container was created, but not yet seen by a reconcile pass. */
  readonly #created = new Set<string>();

  constructor(runDir: string) {
    this.#directory = join(runDir, 'leases');
  }

  /** Takes over the leases of an earlier coid. An unreadable file is removed, and its mounts become stray. */
  load(expiresMs: number): void {
    for (const name of stateFiles(this.#directory)) {
      const path = join(this.#directory, name);
      const lease = readState(path, leaseShape);
      if (lease && isTreeId(lease.reservation.id))
        this.#leases.set(lease.reservation.id, { ...lease, expiresMs });
      else rmSync(path, { force: true });
    }
  }

  all(): Lease[] {
    return [...this.#leases.values()];
  }

  get(id: string): Lease | undefined {
    return this.#leases.get(id);
  }

  add(lease: Lease): void {
    const { id } = lease.reservation;
    this.#leases.set(id, lease);
    writeState(this.#file(id), JSON.stringify(lease), { flush: false });
  }

  extend(id: string, expiresMs: number): void {
    const lease = this.#leases.get(id);
    if (lease) this.#leases.set(id, { ...lease, expiresMs });
  }

  /** Handles an Incus event. A container that came and went between two passes expires its lease; returns true then. */
  handleEvent(action: string, container: string): boolean {
    const lease = this.all().find(({ reservation }) => reservation.container === container);
    if (!lease) return false;
    const { id } = lease.reservation;
    if (action === 'instance-created') this.#created.add(id);
    if (action !== 'instance-deleted' || !this.#created.has(id)) return false;
    this.#leases.set(id, { ...lease, expiresMs: 0 });
    return true;
  }

  remove(id: string): void {
    this.#created.delete(id);
    if (this.#leases.delete(id)) rmSync(this.#file(id), { force: true });
  }

  /** Prevents one user from using up all addresses with unused reservations. */
  refuseTooMany({ uid }: { readonly uid: number }): void {
    const own = this.all().filter((lease) => lease.uid === uid);
    if (uid === 0 || own.length < leasesPerUserMax) return;
    throw new CoiError('coid-failed', `this user has ${own.length} unused reservations`, {
      hint: 'Try again in a minute.',
    });
  }

  used(): UsedResources {
    const all = this.all();
    const reservations = all.map(({ reservation }) => reservation);
    return {
      names: new Set(reservations.map(({ container }) => container)),
      hostNames: new Set(reservations.map(({ nic }) => nic.hostName)),
      macs: new Set(reservations.map(({ nic }) => nic.mac)),
      addresses: new Set(reservations.map(({ nic }) => nic.address)),
      idmapBases: new Map(
        all.map(({ reservation, workspace }) => [
          reservation.idmapBase,
          idsKey(reservation.ownerUid, workspace),
        ]),
      ),
    };
  }

  #file(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}

/** How much a reservation is extended at a time while Incus creates its container. */
export const extensionMs = 500;

/**
 * Extends a reservation while Incus creates its container, or has created it since the last list; returns whether it did.
 * Unpacking an image takes minutes on a slow disk, and the container cannot start without its mounts. Throws IncusError.
 */
export async function extendWhileCreating(
  {
    incus,
    leases,
    elapsedMs,
    signal,
  }: {
    readonly incus: Incus;
    readonly leases: Leases;
    readonly elapsedMs: () => number;
    readonly signal: AbortSignal;
  },
  id: string,
): Promise<boolean> {
  const name = leases.get(id)?.reservation.container;
  if (name === undefined) return false;
  const isBusy = (await runningTasks(incus, name, signal)).length > 0;
  if (!isBusy && !(await findByRef(incus, { name, mountsId: id }, { signal }))) return false;
  leases.extend(id, elapsedMs() + extensionMs);
  return true;
}

const leaseShape = z.looseObject({
  reservation: z.looseObject({ id: z.string(), nic: z.looseObject({ address: z.string() }) }),
  workspace: z.string(),
  policy: z.looseObject({}),
  uid: z.number(),
}) as unknown as StateShape<Lease>;
