// Notes about sessions for the search of setuid files after their end. Pure.
import * as z from 'zod/mini';
import type { OpenSession } from '../../coid-api/ended-protocol.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import type { Instance } from '../../incus/shapes.ts';
import type { StateShape } from '../state-file.ts';
import type { EndedSummary } from './ended-sessions.ts';

/** A session that is running, or has ended and was not searched yet. */
export interface SetIdNote {
  readonly id: string;
  readonly container: string;
  readonly ownerUid: number;
  readonly ownerGid: number;
  readonly workspace: string;
  /** Host paths that it can write. */
  readonly sources: readonly string[];
  readonly sinceMs: number;
  /** Paths that were guarded when it started; an older coid did not save them. */
  readonly guarded?: readonly string[] | undefined;
  /** Shared git directory outside the workspace, if it had one. */
  readonly common?: string | undefined;
}

export function noteOf(
  { id, ownerUid, ownerGid, mounts }: MountRecord,
  about: Pick<SetIdNote, 'container' | 'workspace' | 'sinceMs' | 'guarded'>,
): SetIdNote {
  const sources = mounts.filter(({ readonly }) => !readonly).map(({ source }) => source);
  const common = mounts.find(({ git }) => git !== undefined)?.source;
  return { id, ownerUid, ownerGid, sources, common, ...about };
}

/** The record of an ended session. */
export function endedSummary(note: SetIdNote, now: Date): EndedSummary {
  const { id, container, ownerUid, workspace, sinceMs, guarded, common } = note;
  const startedAt = new Date(sinceMs).toISOString();
  const endedAt = now.toISOString();
  return { id, container, startedAt, endedAt, guarded, common, owner: ownerUid, workspace };
}

export function openSession({ container, sinceMs, guarded, common }: SetIdNote): OpenSession {
  return { container, startedAt: new Date(sinceMs).toISOString(), guarded, common };
}

/** The last start of the container. */
export function startMs({ created_at, last_used_at }: Instance): number {
  return Math.max(Date.parse(created_at) || 0, Date.parse(last_used_at) || 0);
}

/** Schema of the file. */
export const noteShape = z.looseObject({
  id: z.string(),
  container: z.string(),
  ownerUid: z.number(),
  ownerGid: z.number(),
  workspace: z.string(),
  sources: z.array(z.string()),
  sinceMs: z.number(),
}) as unknown as StateShape<SetIdNote>;
