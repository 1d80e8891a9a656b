// Reservations that are not yet containers. Each is a file in the run directory too, so that a coid that was killed knows them.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { PolicyRecord } from '../../coid-api/network-protocol.ts';
import type { Reservation } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Incus } from '../../incus/client.ts';
import { tasksOf } from '../../session/lifecycle/incus-operations.ts';
import { findMeant } from '../../session/record/change-instance.ts';
import { isTreeId } from '../mounts/tree-id.ts';
import { readState, type StateShape, stateFiles, writeState } from '../state-file.ts';
import { idsKey, type Taken } from './allocate.ts';

/** Enough for starts at once; each lasts a minute at most. */
const leasesPerUserMax = 64;

export interface Lease {
  readonly reservation: Reservation;
  readonly workspace: string;
  /** What its session may reach. */
  readonly policy: PolicyRecord;
  /** uid of who asked: may give it back. */
  readonly uid: number;
  /** On the clock of this coid (milliseconds); set anew when a coid starts. */
  readonly expiresMs: number;
}

export class Leases {
  readonly #directory: string;
  readonly #leases = new Map<string, Lease>();
  /** Ids of those whose container was made, and not seen by a look yet. */
  readonly #made = new Set<string>();

  constructor(runDir: string) {
    this.#directory = join(runDir, 'leases');
  }

  /** Takes over what an earlier coid had given out; a file that cannot be read is removed, its mounts are then nobody's. */
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

  /** What Incus says of a container. One that came and went between two looks ends its reservation: true then. */
  heard(action: string, container: string): boolean {
    const lease = this.all().find(({ reservation }) => reservation.container === container);
    if (!lease) return false;
    const { id } = lease.reservation;
    if (action === 'instance-created') this.#made.add(id);
    if (action !== 'instance-deleted' || !this.#made.has(id)) return false;
    this.#leases.set(id, { ...lease, expiresMs: 0 });
    return true;
  }

  remove(id: string): void {
    this.#made.delete(id);
    if (this.#leases.delete(id)) rmSync(this.#file(id), { force: true });
  }

  /** One user must not use up the addresses of all with reservations that never become containers. */
  refuseTooMany({ uid }: { readonly uid: number }): void {
    const own = this.all().filter((lease) => lease.uid === uid);
    if (uid === 0 || own.length < leasesPerUserMax) return;
    throw new CoiError('coid-failed', `${own.length} reservations of this user wait for a start`, {
      hint: 'Try again in a minute.',
    });
  }

  taken(): Taken {
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

/** How long a reservation is kept at a time while Incus makes its container. */
export const beingMadeMs = 500;

/**
 * Keeps a reservation for a moment more while Incus makes its container, or has made it since it was asked for its list,
 * and says whether it did. To unpack an image takes minutes on a slow disk, and without its mounts no container starts.
 * Throws IncusError.
 */
export async function keptWhileMade(
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
  const isBusy = (await tasksOf(incus, name, signal)).length > 0;
  if (!isBusy && !(await findMeant(incus, { name, mountsId: id }, { signal }))) return false;
  leases.extend(id, elapsedMs() + beingMadeMs);
  return true;
}

const leaseShape = z.looseObject({
  reservation: z.looseObject({ id: z.string(), nic: z.looseObject({ address: z.string() }) }),
  workspace: z.string(),
  policy: z.looseObject({}),
  uid: z.number(),
}) as unknown as StateShape<Lease>;
