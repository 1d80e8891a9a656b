// What a session does, as far as it can be known without entering its container. The types are part of the library.
import type { Activity } from '../library-types.ts';

export type { Activity, Ask, AskOption, IdleReason } from '../library-types.ts';

/** Whether the user has yet to look at the end of a turn. `seenMs`: when they last looked at it. */
export function isUnseen(activity: Activity, seenMs: number | undefined): boolean {
  if (activity.kind !== 'idle' || activity.sinceMs === undefined) return false;
  if (activity.why !== 'finished' && activity.why !== 'failed') return false;
  return seenMs === undefined || seenMs < activity.sinceMs;
}
