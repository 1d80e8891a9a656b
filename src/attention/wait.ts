// Decides whether a session has reached what `coi wait` waits for. Pure.
import type { Activity } from './activity.ts';

/** Levels: what is true already counts. `turn-end`: a turn has ended since a given moment. */
export const waitGoals = ['idle', 'asks', 'exit', 'turn-end'] as const;
export type WaitGoal = (typeof waitGoals)[number];

export type WaitVerdict =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'reached'; readonly goal: WaitGoal }
  /** It cannot be reached, or it will never be known. */
  | { readonly kind: 'failed'; readonly why: 'ended' | 'paused' | 'unknown' };

/** A snapshot pauses a container for a moment, and an agent rewrites its files. */
export const steadyMs = 5000;

/** Claude Code says that it waits a moment before its transcript shows for what. */
const unexplainedMs = 1000;

/** The question may still become known: it looks like a dialog that only the screen shows. */
export function isUnexplained({ activity, forMs }: Pick<Observed, 'activity' | 'forMs'>): boolean {
  return (
    activity.kind === 'asks' &&
    activity.asks.every(({ kind }) => kind === 'dialog') &&
    forMs < unexplainedMs
  );
}

export interface Observed {
  readonly activity: Activity;
  /** How long the session has been in that state. */
  readonly forMs: number;
  readonly hasTurnEnded: () => boolean;
}

export function waitVerdict(observed: Observed, goals: readonly WaitGoal[]): WaitVerdict {
  const { activity, forMs, hasTurnEnded } = observed;
  const reached = (goal: WaitGoal): WaitVerdict => ({ kind: 'reached', goal });
  const failed = (why: 'ended' | 'paused' | 'unknown'): WaitVerdict =>
    forMs < steadyMs ? { kind: 'waiting' } : { kind: 'failed', why };
  switch (activity.kind) {
    case 'idle':
    case 'working':
    case 'asks':
      if (activity.kind !== 'working' && goals.includes(activity.kind) && !isUnexplained(observed))
        return reached(activity.kind);
      return goals.includes('turn-end') && hasTurnEnded()
        ? reached('turn-end')
        : { kind: 'waiting' };
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
  }
}
