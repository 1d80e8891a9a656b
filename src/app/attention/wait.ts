// Waits until sessions are idle, ask or have ended.
import type { Activity } from '../../attention/activity.ts';
import { type WaitGoal, waitVerdict } from '../../attention/wait.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { type TimeLimit, withTimeLimit } from '../run-command/time-limit.ts';
import { type ConversationMark, hasTurnEnded } from './conversation-mark.ts';
import { observeActivity } from './observe-activity.ts';
import { waitError } from './session-errors.ts';

export interface WaitRequest {
  readonly containers: readonly Container[];
  readonly goals: readonly WaitGoal[];
  /** For `turn-end`; then there is one container. */
  readonly since: ConversationMark | undefined;
  /** Return with the first one. */
  readonly any: boolean;
  readonly limit: TimeLimit | undefined;
}

export interface WaitResult {
  readonly container: Container;
  readonly goal: WaitGoal;
  readonly activity: Activity;
}

/**
 * Reports each session that reaches one of the goals. Throws `session-ended`, `session-paused` or `status-unknown` if one of
 * them can no longer reach it (with `any`: if none can), and `timeout`.
 */
export async function waitForSessions(
  app: AppContext,
  { containers, goals, since, any, limit }: WaitRequest,
  onReached: (result: WaitResult) => void,
): Promise<void> {
  const waiting = new Set(containers);
  const timedOut = ({ text }: TimeLimit) =>
    `timed out after ${text}; still waiting for ${[...waiting].map(({ name }) => name).join(', ')}`;
  const over = new AbortController();
  await withTimeLimit(app.signal, limit, timedOut, async (until) => {
    const signal = AbortSignal.any([until, over.signal]);
    const waits = containers.map(async (container) => {
      const result = await waitForOne(app, container, { goals, since }, signal);
      if (over.signal.aborted) return;
      waiting.delete(container);
      onReached(result);
      if (any) over.abort();
    });
    try {
      await (any ? Promise.any(waits) : Promise.all(waits));
    } catch (error) {
      until.throwIfAborted();
      throw error instanceof AggregateError ? error.errors[0] : error;
    } finally {
      over.abort();
      await Promise.allSettled(waits);
    }
  });
}

async function waitForOne(
  app: AppContext,
  container: Container,
  { goals, since }: Pick<WaitRequest, 'goals' | 'since'>,
  signal: AbortSignal,
): Promise<WaitResult> {
  const { name } = container;
  for await (const seen of observeActivity(app, refOf(container.instance), signal)) {
    const { activity, forMs } = seen;
    const hasEnded = () => since !== undefined && hasTurnEnded(app, container, since, seen);
    const verdict = waitVerdict({ activity, forMs, hasTurnEnded: hasEnded }, goals);
    if (verdict.kind === 'reached') return { container, goal: verdict.goal, activity };
    if (verdict.kind === 'failed') throw waitError(name, verdict.why, activity);
  }
  throw waitError(name, 'ended', { kind: 'ended' });
}
