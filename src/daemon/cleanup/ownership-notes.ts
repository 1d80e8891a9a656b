// Which ended sessions have left something to be given back, from look to look. Pure.
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';

/** What has to be known of an ephemeral session when its container is gone. */
export interface EndedSession {
  /** Of its mounts. */
  readonly id: string;
  readonly container: string;
  readonly ownerUid: number;
  readonly ownerGid: number;
  readonly idmapBase: number;
  /** What the container could write, as paths of the host. */
  readonly sources: readonly string[];
}

export type Notes = ReadonlyMap<string, EndedSession>;

export interface OwnershipLook {
  readonly instances: readonly Instance[];
  /** Bases of reservations that are not yet containers. */
  readonly reserved: ReadonlySet<number>;
  readonly runDir: string;
}

/** The notes after a look, and those that are to be done now. */
export function notesAfter(
  before: Notes,
  { instances, reserved, runDir }: OwnershipLook,
): { notes: Notes; due: readonly EndedSession[] } {
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
  // What a persistent container of the same ids has left cannot be told apart, so nothing is touched.
  const open = [...before.values()].filter(
    ({ id, idmapBase }) => !present.has(id) && !kept.has(idmapBase),
  );
  return {
    notes: new Map([...ephemeral, ...open].map((note) => [note.id, note])),
    due: open.filter(({ idmapBase }) => !used.has(idmapBase)),
  };
}

export function noteOf(container: string, mounts: MountRecord): EndedSession {
  const { id, ownerUid, ownerGid, idmapBase } = mounts;
  const sources = mounts.mounts.filter(({ readonly }) => !readonly).map(({ source }) => source);
  return { id, container, ownerUid, ownerGid, idmapBase, sources };
}
