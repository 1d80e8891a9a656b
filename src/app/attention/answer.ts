// Answers a question of an agent: that question and no other, and only while it is open.
import { randomUUID } from 'node:crypto';
import type { Activity, Ask } from '../../attention/activity.ts';
import {
  type Answer,
  answerOf,
  asksToAnswer,
  type Choice,
} from '../../attention/answers/choice.ts';
import type { LiveAgent } from '../../attention/reduce.ts';
import { CoiError } from '../../errors.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { type GivenAnswers, giveAnswer } from './answer-ways.ts';
import { readActivity } from './container-activity.ts';
import { observeActivity } from './observe-activity.ts';
import { answeredElsewhere, notAnswerable, notShown, waitError } from './session-errors.ts';

export interface AnswerRequest {
  readonly container: Container;
  /** The id of the question; undefined for the only one that is open. */
  readonly ask: string | undefined;
  readonly choice: Choice;
}

export interface AnswerResult {
  /** The questions that were answered: those of one call. */
  readonly asks: readonly Ask[];
  readonly answer: Answer;
}

const confirmMs = 5000;
const pressMs = 1200;
const pressesMax = 5;
const confirmPollMs = 100;

/** What the agent asks. Throws `session-paused`, `session-ended`, `status-unknown`, and `ask-gone` if it asks nothing. */
export function openAsks(app: AppContext, container: Container): readonly Ask[] {
  return asksOf(container.name, readActivity(app, container).activity);
}

/**
 * Returns when the question is closed. Throws like `openAsks`; `usage` if the choice does not fit, `ask-gone` if the
 * question is not open any more, `ask-not-answerable`, and `answer-unconfirmed`.
 */
export async function answerAsk(
  app: AppContext,
  { container, ask, choice }: AnswerRequest,
): Promise<AnswerResult> {
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
  return { asks, answer };
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
  let hasPressed = false;
  for (let left = pressesMax; ; left -= 1) {
    const way = await giveAnswer(app, container, agents, given).catch(async (error: unknown) => {
      // Another dialog may be there because this one has closed.
      if (hasPressed && (await closesWithin(app, container, given.asks, 0))) return 'pressed';
      throw error;
    });
    hasPressed ||= way !== 'hidden';
    const limitMs = way === 'taken' ? confirmMs : pressMs;
    if (await closesWithin(app, container, given.asks, limitMs)) {
      if (hasPressed) return true;
      throw answeredElsewhere(container.name);
    }
    if (way === 'taken' || left === 0) break;
  }
  if (hasPressed) return false;
  throw notShown(container.name);
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

async function closesWithin(
  app: AppContext,
  { instance }: Container,
  asks: readonly Ask[],
  limitMs: number,
): Promise<boolean> {
  const beginMs = app.clock.elapsedMs();
  const ids = new Set(asks.map(({ id }) => id));
  const seen = observeActivity(app, refOf(instance), app.signal, confirmPollMs);
  for await (const { activity } of seen) {
    const open = activity.kind === 'asks' ? activity.asks : [];
    if (!open.some(({ id }) => ids.has(id))) return true;
    if (app.clock.elapsedMs() - beginMs > limitMs) return false;
  }
  return true;
}
