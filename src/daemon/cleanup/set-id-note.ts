// What has to be known of a session to look at what it could write when it has ended. Pure.
import * as z from 'zod/mini';
import type { OpenSession } from '../../coid-api/ended-protocol.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import type { Instance } from '../../incus/shapes.ts';
import type { StateShape } from '../state-file.ts';
import type { Ended } from './ended-sessions.ts';

/** A session that runs, or has ended and was not looked at since. */
export interface Note {
  readonly id: string;
  readonly container: string;
  readonly ownerUid: number;
  readonly ownerGid: number;
  readonly workspace: string;
  /** What it can write. */
  readonly sources: readonly string[];
  readonly sinceMs: number;
  /** Paths that were guarded when it began; an earlier coid did not write them down. */
  readonly guarded?: readonly string[] | undefined;
  /** Git's directory elsewhere, where it had one. */
  readonly common?: string | undefined;
}

export function noteOf(
  { id, ownerUid, ownerGid, mounts }: MountRecord,
  about: Pick<Note, 'container' | 'workspace' | 'sinceMs' | 'guarded'>,
): Note {
  const sources = mounts.filter(({ readonly }) => !readonly).map(({ source }) => source);
  const common = mounts.find(({ git }) => git !== undefined)?.source;
  return { id, ownerUid, ownerGid, sources, common, ...about };
}

/** What is remembered of a session that has ended. */
export function aboutOf(note: Note, now: Date): Ended {
  const { id, container, ownerUid, workspace, sinceMs, guarded, common } = note;
  const startedAt = new Date(sinceMs).toISOString();
  const endedAt = now.toISOString();
  return { id, container, startedAt, endedAt, guarded, common, owner: ownerUid, workspace };
}

export function openOf({ container, sinceMs, guarded, common }: Note): OpenSession {
  return { container, startedAt: new Date(sinceMs).toISOString(), guarded, common };
}

/** Of a container that was started again, the last time. */
export function startOf({ created_at, last_used_at }: Instance): number {
  return Math.max(Date.parse(created_at) || 0, Date.parse(last_used_at) || 0);
}

/** As it is written down. */
export const noteShape = z.looseObject({
  id: z.string(),
  container: z.string(),
  ownerUid: z.number(),
  ownerGid: z.number(),
  workspace: z.string(),
  sources: z.array(z.string()),
  sinceMs: z.number(),
}) as unknown as StateShape<Note>;
