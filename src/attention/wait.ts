// Decides whether a session has reached what `coi wait` waits for. Pure.
import type { Activity } from './activity.ts';

/** Levels: what is true already counts. */
export const waitGoals = ['idle', 'asks', 'exit'] as const;
export type WaitGoal = (typeof waitGoals)[number];

export type WaitVerdict =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'reached'; readonly goal: WaitGoal }
  /** It cannot be reached, or it will never be known. */
  | { readonly kind: 'failed'; readonly why: 'ended' | 'paused' | 'unknown' };

/** A snapshot pauses a container for a moment, and an agent rewrites its files. */
const steadyMs = 5000;

/** `forMs`: how long the session has been in that state. */
export function waitVerdict(
  activity: Activity,
  goals: readonly WaitGoal[],
  forMs: number,
): WaitVerdict {
  const reached = (goal: WaitGoal): WaitVerdict => ({ kind: 'reached', goal });
  const failed = (why: 'ended' | 'paused' | 'unknown'): WaitVerdict =>
    forMs < steadyMs ? { kind: 'waiting' } : { kind: 'failed', why };
  switch (activity.kind) {
    case 'idle':
    case 'asks':
      return goals.includes(activity.kind) ? reached(activity.kind) : { kind: 'waiting' };
    case 'exited':
    case 'stopped':
    case 'ended':
      return goals.includes('exit') ? reached('exit') : { kind: 'failed', why: 'ended' };
    case 'paused':
      return failed('paused');
    case 'unknown':
      // The end of the container is known for every agent.
      if (goals.every((goal) => goal === 'exit')) return { kind: 'waiting' };
      return activity.why === 'starting' ? { kind: 'waiting' } : failed('unknown');
    case 'working':
      return { kind: 'waiting' };
  }
}
