// Sends a message to an agent: only when it can take one, and with a check that it has arrived.
import type { Activity } from '../../attention/activity.ts';
import { asksLine } from '../../attention/activity-text.ts';
import type { Delivery } from '../../attention/claude-delivery.ts';
import { CoiError } from '../../errors.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { type TimeLimit, withTimeLimit } from '../run-command/time-limit.ts';
import {
  messageInTmux,
  noTmux,
  runInTmux,
  type TmuxMessageResult,
} from '../terminal/tmux-commands.ts';
import { toolOf } from './container-activity.ts';
import {
  type AgentMark,
  cursorOf,
  deliverySince,
  isSubmitBound,
  markConversations,
} from './conversation-mark.ts';
import { type Observation, observeActivity } from './observe-activity.ts';
import { waitError } from './wait.ts';

export interface SendRequest {
  readonly container: Container;
  /** Clean (attention/message.ts), not empty. */
  readonly text: string;
  /** End the agent's turn first, and discard what is queued or in its input box. */
  readonly interrupt: boolean;
  /** Wait until the agent has answered. */
  readonly wait: boolean;
  readonly limit: TimeLimit | undefined;
}

export interface SendResult {
  readonly state: 'delivered' | 'queued';
  /** The message was appended to text that was in the input box. */
  readonly hasMore: boolean;
  /** For `turn-end` of `coi wait`. */
  readonly cursor: string;
  /** How the agent's turn ended; undefined without `wait`. */
  readonly end: Delivery['end'];
  /** The agent's last words; undefined without `wait` or if it said nothing. */
  readonly reply: string | undefined;
}

/** An agent that starts on a busy host needs longer than any that is ready. */
const startingMs = 60_000;
const interruptMs = 15_000;
const pressAgainMs = 1000;
const confirmMs = 5000;
/** Claude Code writes a line at once; where files cannot be watched, this is how soon it is seen. */
const confirmPollMs = 100;
/** A command of the agent itself may leave no trace of its end. */
const quietMs = 2000;

/**
 * Throws `session-asks` if the agent asks something, before or after; `session-ended`, `session-paused` and
 * `status-unknown` if it cannot take a message; `send-unconfirmed` if it is unknown whether it has; and `timeout`.
 */
export async function sendMessage(app: AppContext, request: SendRequest): Promise<SendResult> {
  const { container, limit } = request;
  const timedOut = ({ text }: TimeLimit) => `timed out after ${text}: ${container.name}`;
  return withTimeLimit(app.signal, limit, timedOut, async (signal) => {
    const ready = await untilReady(app, request, signal);
    if (ready.activity.kind === 'unknown') return typeUnconfirmed(app, request);
    const marks = markConversations(app, container, ready.agents);
    const pid = await typeMessage(app, request, ready);
    const mark = marks.find((one) => one.pid === pid);
    if (!mark) throw unconfirmed(container.name);
    const delivery = await untilDelivered(app, request, mark, signal);
    const ended = request.wait ? await untilTurnEnd(app, request, mark, signal) : undefined;
    return {
      state: delivery.state === 'queued' ? 'queued' : 'delivered',
      hasMore: delivery.hasMore,
      cursor: cursorOf(mark),
      end: ended?.end,
      reply: ended?.words,
    };
  });
}

/** For agents whose activity coi cannot read. */
async function typeUnconfirmed(app: AppContext, { container, text }: SendRequest): Promise<never> {
  await runInTmux(app, container.name, 'lines', text);
  throw unconfirmed(container.name);
}

/** Returns when the agent works or is idle, or if that cannot be known. */
async function untilReady(
  app: AppContext,
  { container, interrupt, wait }: SendRequest,
  signal: AbortSignal,
): Promise<Observation> {
  const { name } = container;
  const keys = toolOf(container)?.registry?.keys;
  const beginMs = app.clock.elapsedMs();
  let pressedMs: number | undefined;
  for await (const seen of observe(app, container, signal, interrupt ? pressAgainMs : undefined)) {
    const { activity, forMs } = seen;
    if (activity.kind === 'idle') {
      // Claude Code puts a message back into the input box if it was interrupted before it said anything.
      if (pressedMs !== undefined && keys) await runInTmux(app, name, 'keys', keys.clear);
      return seen;
    }
    if (activity.kind === 'working') {
      if (!interrupt || !keys) return seen;
      const nowMs = app.clock.elapsedMs();
      // The first press may only take queued messages back.
      if (pressedMs === undefined || nowMs - pressedMs > pressAgainMs) {
        pressedMs = nowMs;
        await runInTmux(app, name, 'keys', keys.interrupt);
      }
      if (nowMs - beginMs > interruptMs)
        throw new CoiError('failed', `nothing was sent: the agent in ${name} did not stop`, {
          hint: `Run \`coi attach ${name}\` to see why.`,
        });
      continue;
    }
    if (activity.kind === 'unknown' && activity.why === 'no-signal' && !wait) return seen;
    const problem = cannotTake(name, activity, forMs);
    if (problem) throw problem;
  }
  throw new CoiError('session-ended', `session ${name} has ended`);
}

/** Undefined if it may soon be able to. `forMs`: how long it has been so. */
function cannotTake(name: string, activity: Activity, forMs: number): CoiError | undefined {
  const steady = forMs >= 5000;
  switch (activity.kind) {
    case 'asks':
      return asksError(name, activity, 'nothing was sent: ');
    case 'exited':
    case 'stopped':
    case 'ended':
      return waitError(name, 'ended', activity);
    case 'paused':
      return steady ? waitError(name, 'paused', activity) : undefined;
    case 'unknown':
      if (activity.why === 'starting')
        return forMs < startingMs ? undefined : waitError(name, 'unknown', activity);
      return activity.why === 'no-signal' || steady
        ? waitError(name, 'unknown', activity)
        : undefined;
    default:
      return undefined;
  }
}

function asksError(name: string, activity: Activity, outcome = ''): CoiError {
  return new CoiError(
    'session-asks',
    `${outcome}the agent in ${name} asks: ${asksLine(activity)}`,
    {
      hint: `Run \`coi attach ${name}\` to answer.`,
    },
  );
}

/** Returns the process id of the agent that it was typed for. */
async function typeMessage(
  app: AppContext,
  { container, text }: SendRequest,
  { agents }: Observation,
): Promise<number> {
  const { name } = container;
  const pids = agents.map(({ entry }) => entry.pid);
  const keys = toolOf(container)?.registry?.keys;
  const submit = isSubmitBound(app, container) ? keys?.submit : undefined;
  const result = await messageInTmux(app, name, { text, pids, submit });
  if (result.kind === 'sent') return result.pid;
  throw typingError(name, result.kind);
}

function typingError(
  name: Container['name'],
  kind: Exclude<TmuxMessageResult['kind'], 'sent'>,
): CoiError {
  switch (kind) {
    case 'no-session':
      return noTmux(name);
    case 'no-terminal':
      return new CoiError(
        'session-ended',
        `nothing was sent: the agent in ${name} has no terminal`,
        {
          hint: `Run \`coi attach ${name}\` to see what runs there.`,
        },
      );
    case 'asks':
      return new CoiError('session-asks', `nothing was sent: the agent in ${name} shows a dialog`, {
        hint: `Run \`coi attach ${name}\` to answer.`,
      });
    case 'not-submitted':
      return new CoiError(
        'send-unconfirmed',
        `the message was typed but not submitted: the agent in ${name} shows a dialog`,
        { hint: `Run \`coi attach ${name}\` to answer it.` },
      );
  }
}

async function untilDelivered(
  app: AppContext,
  { container, text }: SendRequest,
  mark: AgentMark,
  signal: AbortSignal,
): Promise<Delivery> {
  const beginMs = app.clock.elapsedMs();
  for await (const { agents } of observe(app, container, signal, confirmPollMs)) {
    const delivery = deliverySince(app, container, mark, agents, text);
    if (delivery.state === 'delivered' || delivery.state === 'queued') return delivery;
    if (app.clock.elapsedMs() - beginMs > confirmMs) break;
  }
  throw unconfirmed(container.name);
}

function unconfirmed(name: string): CoiError {
  return new CoiError(
    'send-unconfirmed',
    `the message was typed, but the agent in ${name} has not confirmed it`,
    { hint: `Run \`coi tmux capture ${name}\` to see its screen; do not send it twice.` },
  );
}

async function untilTurnEnd(
  app: AppContext,
  { container, text }: SendRequest,
  mark: AgentMark,
  signal: AbortSignal,
): Promise<Delivery> {
  const { name } = container;
  for await (const { activity, agents, forMs } of observe(app, container, signal)) {
    if (activity.kind === 'asks') throw asksError(name, activity);
    if (activity.kind === 'exited' || activity.kind === 'stopped' || activity.kind === 'ended')
      throw waitError(name, 'ended', activity);
    if (activity.kind === 'paused' && forMs >= 5000) throw waitError(name, 'paused', activity);
    if (activity.kind !== 'idle') continue;
    const delivery = deliverySince(app, container, mark, agents, text);
    if (delivery.end !== undefined) return delivery;
    if (delivery.state === 'cancelled')
      throw new CoiError(
        'send-unconfirmed',
        `the message to ${name} was taken back in its terminal`,
      );
    if (delivery.state !== 'queued' && forMs >= quietMs) return { ...delivery, end: 'finished' };
  }
  throw new CoiError('session-ended', `session ${name} has ended`);
}

function observe(
  app: AppContext,
  { instance }: Container,
  signal: AbortSignal,
  pollMs?: number,
): AsyncGenerator<Observation, void> {
  return observeActivity(app, refOf(instance), signal, pollMs);
}
