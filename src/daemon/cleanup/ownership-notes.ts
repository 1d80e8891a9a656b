// Tracks ended sessions whose files have to be given to the owner. Pure.
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';

/** An ephemeral session, as far as it must be known after its container is gone. */
export interface OwnershipNote {
  /** Mounts id. */
  readonly id: string;
  readonly container: string;
  readonly ownerUid: number;
  readonly ownerGid: number;
  readonly idmapBase: number;
  /** Host paths that the container could write. */
  readonly sources: readonly string[];
}

export type Notes = ReadonlyMap<string, OwnershipNote>;

export interface OwnershipObservation {
  readonly instances: readonly Instance[];
  /** Id bases of reservations that are not yet containers. */
  readonly reserved: ReadonlySet<number>;
  readonly runDir: string;
}

/** The notes after a pass, and those to process now. */
export function updateNotes(
  before: Notes,
  { instances, reserved, runDir }: OwnershipObservation,
): { notes: Notes; due: readonly OwnershipNote[] } {
  const records = instances.flatMap(({ name, config }) => {
    const record = sessionRecord(config);
    return record ? [{ name, record }] : [];
  });
  const present = new Set(records.map(({ record }) => record.mounts.id));
  const kept = new Set(
    records.filter(({ record }) => record.persistent).map(({ record }) => record.mounts.idmapBase),
  );
  const used = new Set([...records.map(({ record }) => record.mounts.idmapBase), ...reserved]);
  const ephemeral = records
    .filter(({ record }) => record.mounts.runDir === runDir && !record.persistent)
    .map(({ name, record: { mounts } }) => noteOf(name, mounts));
  // Files of a persistent container with the same ids cannot be distinguished, so nothing is changed.
  const open = [...before.values()].filter(
    ({ id, idmapBase }) => !present.has(id) && !kept.has(idmapBase),
  );
  return {
    notes: new Map([...ephemeral, ...open].map((note) => [note.id, note])),
    due: open.filter(({ idmapBase }) => !used.has(idmapBase)),
  };
}

export function noteOf(container: string, mounts: MountRecord): OwnershipNote {
  const { id, ownerUid, ownerGid, idmapBase } = mounts;
  const sources = mounts.mounts.filter(({ readonly }) => !readonly).map(({ source }) => source);
  return { id, container, ownerUid, ownerGid, idmapBase, sources };
}
