// Answers a question of an agent: that question and no other, and only while it is open.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Activity, Ask } from '../../attention/activity.ts';
import { answerOf, asksToAnswer, type Choice } from '../../attention/answers/choice.ts';
import type { LiveAgent } from '../../attention/reduce.ts';
import { CoiError } from '../../errors.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { type AnswerWay, type GivenAnswers, giveAnswer, pressed } from './answer-ways.ts';
import { readActivity } from './container-activity.ts';
import { observeActivity } from './observe-activity.ts';
import { answeredElsewhere, notAnswerable, notShown, waitError } from './session-errors.ts';

export interface AnswerRequest {
  readonly container: Container;
  /** The id of the question; undefined for the only one that is open. */
  readonly ask: string | undefined;
  readonly choice: Choice;
}

const confirmMs = 5000;
const pressMs = 1200;
const pressesMax = 5;
const decisionMs = 1500;
const betweenDialogsMs = 300;
const confirmPollMs = 100;

/** What the agent asks. Throws `session-paused`, `session-ended`, `status-unknown`, and `ask-gone` if it asks nothing. */
export function openAsks(app: AppContext, container: Container): readonly Ask[] {
  return asksOf(container.name, readActivity(app, container).activity);
}

/**
 * Returns the questions that were answered, those of one call, when they are closed. Throws like `openAsks`; `usage` if the
 * choice does not fit, `ask-gone` if the question is not open any more, `ask-not-answerable`, and `answer-unconfirmed`.
 */
export async function answerAsk(
  app: AppContext,
  { container, ask, choice }: AnswerRequest,
): Promise<readonly Ask[]> {
  const { name } = container;
  const { activity, agents } = readActivity(app, container);
  const asks = asksToAnswer(name, asksOf(name, activity), ask);
  if (asks.some(({ kind }) => kind === 'dialog')) throw notAnswerable(name);
  const answer = answerOf(asks, choice);
  const given: GivenAnswers = { asks, answer, who: randomUUID() };
  if (!(await untilGiven(app, container, agents, given)))
    throw new CoiError(
      'answer-unconfirmed',
      `the answer was given, but the agent in ${name} still asks`,
      { hint: `Run \`coi tmux capture ${name}\` to see its screen.` },
    );
  return asks;
}

/**
 * Claude Code shows a dialog only when nobody types, and ignores keys for a moment after it has opened one: then the key is
 * pressed again. False if the questions are still open.
 */
async function untilGiven(
  app: AppContext,
  container: Container,
  agents: readonly LiveAgent[],
  given: GivenAnswers,
): Promise<boolean> {
  const closes = (limitMs: number, settleMs: number) =>
    closesWithin(app, container, given.asks, { limitMs, settleMs });
  let hasPressed = false;
  for (let left = pressesMax; left > 0; left -= 1) {
    const way = await giveAnswer(app, container, agents, given).catch(async (error: unknown) => {
      // Another dialog may be there because this one has closed.
      if (hasPressed && (await closes(0, 0))) return pressed;
      throw error;
    });
    if (way.kind === 'taken') {
      const isClosed = await closes(confirmMs, 0);
      if (isClosed && (await decider(app, way)) === 'other')
        throw answeredElsewhere(container.name);
      return isClosed;
    }
    hasPressed ||= way.kind === 'pressed';
    const isClosed = await closes(pressMs, betweenDialogsMs);
    if (isClosed && !hasPressed) throw answeredElsewhere(container.name);
    if (isClosed) return true;
  }
  if (hasPressed) return false;
  throw notShown(container.name);
}

/** The result of a call is written a moment after its dialog has closed. */
async function decider(
  app: AppContext,
  { decision }: AnswerWay & { readonly kind: 'taken' },
): Promise<'hook' | 'other' | undefined> {
  if (!decision) return undefined;
  const beginMs = app.clock.elapsedMs();
  for (;;) {
    const found = decision();
    if (found !== undefined || app.clock.elapsedMs() - beginMs > decisionMs) return found;
    await delay(confirmPollMs, undefined, { signal: app.signal });
  }
}

function asksOf(name: string, activity: Activity): readonly Ask[] {
  switch (activity.kind) {
    case 'asks':
      return activity.asks;
    case 'working':
    case 'idle':
      throw new CoiError('ask-gone', `the agent in ${name} asks nothing`, {
        hint: 'Run `coi list` to see what your agents do.',
      });
    case 'paused':
    case 'unknown':
      throw waitError(name, activity.kind, activity);
    default:
      throw waitError(name, 'ended', activity);
  }
}

/** `settleMs`: between two dialogs an agent works for a moment, and the questions are not to be seen. */
async function closesWithin(
  app: AppContext,
  { instance }: Container,
  asks: readonly Ask[],
  { limitMs, settleMs }: { readonly limitMs: number; readonly settleMs: number },
): Promise<boolean> {
  const beginMs = app.clock.elapsedMs();
  const ids = new Set(asks.map(({ id }) => id));
  let goneMs: number | undefined;
  const seen = observeActivity(app, refOf(instance), app.signal, confirmPollMs);
  for await (const { activity } of seen) {
    const nowMs = app.clock.elapsedMs();
    const open = activity.kind === 'asks' ? activity.asks : [];
    if (open.some(({ id }) => ids.has(id))) goneMs = undefined;
    else goneMs ??= nowMs;
    const isLasting = goneMs !== undefined && nowMs - goneMs >= settleMs;
    if (isLasting || (goneMs !== undefined && activity.kind !== 'working')) return true;
    if (goneMs === undefined && nowMs - beginMs > limitMs) return false;
  }
  return true;
}
