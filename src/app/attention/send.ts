// Sends a message to an agent: only when it can take one, and with a check that it has arrived.
import type { Delivery } from '../../attention/claude/delivery.ts';
import { steadyMs } from '../../attention/wait.ts';
import { CoiError } from '../../errors.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { type TimeLimit, withTimeLimit } from '../run-command/time-limit.ts';
import { messageInTmux, noTmux } from '../terminal/tmux-commands.ts';
import { toolOf } from './container-activity.ts';
import {
  type AgentMark,
  cursorOf,
  deliverySince,
  isSubmitBound,
  markConversations,
} from './conversation-mark.ts';
import { type Observation, observeActivity } from './observe-activity.ts';
import { untilReady } from './ready-agent.ts';
import { asksError, noAgentTerminal, unconfirmed, waitError } from './session-errors.ts';

export interface SendRequest {
  readonly container: Container;
  /** Clean (attention/message.ts), not empty. */
  readonly text: string;
  /** End the agent's turn first; what is queued or in its input box is then discarded. */
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

/** A first message can wait for an agent that is still loading on a busy machine. */
const confirmMs = 15_000;
/** Claude Code writes a line at once; where files cannot be watched, this is how soon it is seen. */
const confirmPollMs = 100;
/** A hook of the user may answer a dialog in a moment; until then the agent says that it waits. */
const askingMs = 1000;
/** A command of the agent itself may leave no trace of its end. */
const quietMs = 2000;

/**
 * Throws `session-asks` if the agent asks something, before or after; `session-ended`, `session-paused` and
 * `status-unknown` if it cannot take a message; `send-unconfirmed` if it is unknown whether it has; and `timeout`.
 */
export async function sendMessage(app: AppContext, request: SendRequest): Promise<SendResult> {
  const { container, limit, interrupt, wait } = request;
  const timedOut = ({ text }: TimeLimit) => `timed out after ${text}: ${container.name}`;
  return withTimeLimit(app.signal, limit, timedOut, async (signal) => {
    const acceptUnknown = !wait && !interrupt;
    let typed: Typed;
    let marks: readonly AgentMark[];
    do {
      const ready = await untilReady(app, { container, interrupt, acceptUnknown }, signal);
      marks = markConversations(app, container, ready.agents);
      typed = await typeMessage(app, request, ready);
    } while (typed === 'busy');
    const { pid } = typed;
    const mark = marks.find((one) => one.pid === pid);
    if (!mark) throw unconfirmed(container.name);
    const delivery = await untilDelivered(app, request, mark, signal);
    const ended = wait ? await untilTurnEnd(app, request, mark, signal) : undefined;
    const isQueued = delivery.state === 'queued';
    return {
      state: isQueued ? 'queued' : 'delivered',
      hasMore: delivery.hasMore,
      cursor: cursorOf({ ...mark, isQueued }),
      end: ended?.end,
      reply: ended?.words,
    };
  });
}

/** The agent's process; `busy` if nothing was typed, because it has begun to work meanwhile. */
type Typed = { readonly pid: number } | 'busy';

async function typeMessage(
  app: AppContext,
  { container, text }: SendRequest,
  { agents }: Observation,
): Promise<Typed> {
  const { name } = container;
  const pids = agents.map(({ entry }) => entry.pid);
  const { keys, statusDir } = toolOf(container) ?? {};
  const own = keys?.submit;
  const submit = own && isSubmitBound(app, container, own) ? own.keys : undefined;
  const reports = submit === undefined && agents.some(({ report }) => report !== undefined);
  const idleIn = reports && statusDir !== undefined ? `${guestHome}/${statusDir}` : undefined;
  const result = await messageInTmux(app, name, { text, pids, submit, idleIn });
  switch (result.kind) {
    case 'sent':
      return { pid: result.pid };
    case 'busy':
      return 'busy';
    case 'no-session':
      throw noTmux(name);
    case 'no-terminal':
      throw noAgentTerminal(name);
    case 'asks':
    case 'not-submitted':
      throw new CoiError(
        'session-asks',
        result.kind === 'asks'
          ? `nothing was sent: the agent in ${name} shows a dialog`
          : `the message was typed but not submitted: the agent in ${name} shows a dialog`,
        { hint: `Run \`coi attach ${name}\` to answer.` },
      );
  }
}

async function untilDelivered(
  app: AppContext,
  { container, text }: SendRequest,
  mark: AgentMark,
  signal: AbortSignal,
): Promise<Delivery> {
  const { name, instance } = container;
  const beginMs = app.clock.elapsedMs();
  const seen = observeActivity(app, refOf(instance), signal, confirmPollMs);
  for await (const { activity, agents, forMs } of seen) {
    const delivery = deliverySince(app, container, mark, agents, { kind: 'message', text });
    if (delivery.state === 'delivered' || delivery.state === 'queued') return delivery;
    if (activity.kind === 'exited' || activity.kind === 'ended')
      throw waitError(name, 'ended', activity);
    // A command of the agent, such as /model, or somebody at the terminal.
    if (activity.kind === 'asks' && forMs > askingMs)
      throw asksError(name, activity, 'the message was typed:');
    if (app.clock.elapsedMs() - beginMs > confirmMs) break;
  }
  throw unconfirmed(name);
}

async function untilTurnEnd(
  app: AppContext,
  { container, text }: SendRequest,
  mark: AgentMark,
  signal: AbortSignal,
): Promise<Delivery> {
  const { name, instance } = container;
  const seen = observeActivity(app, refOf(instance), signal, askingMs);
  for await (const { activity, agents, forMs } of seen) {
    if (activity.kind === 'exited' || activity.kind === 'stopped' || activity.kind === 'ended')
      throw waitError(name, 'ended', activity);
    const isLasting = forMs >= steadyMs;
    if (isLasting && (activity.kind === 'paused' || activity.kind === 'unknown'))
      throw waitError(name, activity.kind, activity);
    const delivery = deliverySince(app, container, mark, agents, { kind: 'message', text });
    if (delivery.isOver) return delivery;
    if (activity.kind === 'asks' && forMs >= askingMs) throw asksError(name, activity);
    if (activity.kind !== 'idle') continue;
    if (delivery.end !== undefined) return delivery;
    if (delivery.state === 'cancelled')
      throw new CoiError('send-unconfirmed', `the message to ${name} was taken back`, {
        hint: 'Somebody at its terminal put it back into the input box.',
      });
    if (delivery.state === 'delivered' && forMs >= quietMs)
      return { ...delivery, end: delivery.isLocal ? 'finished' : 'interrupted' };
  }
  throw waitError(name, 'ended', { kind: 'ended' });
}
