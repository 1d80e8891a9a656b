// The ways in which an answer reaches an agent: its plugin or hook, which take it from a file, or a key in its dialog.
import type { Ask } from '../../attention/activity.ts';
import { type Answer, callOf } from '../../attention/answers/choice.ts';
import { dialogKey } from '../../attention/answers/claude-dialog.ts';
import {
  hookOf,
  hookOutput,
  parseWaitingHook,
  type WaitingHook,
} from '../../attention/answers/claude-hook.ts';
import { isPlan, isQuestion } from '../../attention/claude/asks.ts';
import type { PendingCall } from '../../attention/claude/transcript.ts';
import { asksOfAgent, type LiveAgent } from '../../attention/reduce.ts';
import { containerProcesses } from '../../host/proc/container-processes.ts';
import { take } from '../../host/take.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { askScript } from '../../tools/claude.ts';
import type { AppContext } from '../context.ts';
import { agentScreen, chooseInTmux } from '../terminal/tmux-commands.ts';
import { readDecision } from './claude-agents.ts';
import { inStore, toolOf, withStore } from './container-activity.ts';
import { observeActivity } from './observe-activity.ts';
import { answeredElsewhere, notAnswerable, notShown } from './session-errors.ts';
import { writeAnswer } from './write-answer.ts';

/** The questions of one call, and what to answer. */
export interface GivenAnswers {
  readonly asks: readonly Ask[];
  readonly answer: Answer;
  /** Of the request. */
  readonly who: string;
}

/** A container can leave any number of files; the real ones are few. */
const namesMax = 1000;
const hooksMax = 16;
const hookMs = 3000;
const hookPollMs = 100;
const hookMaxBytes = 256 * 1024;

/** What became of an answer. */
export type AnswerWay =
  /** The agent's hook or plugin has it; `decision`: who has closed the question, as far as the agent says it. */
  | { readonly kind: 'taken'; readonly decision?: () => ReturnType<typeof readDecision> }
  /** A key was pressed in the dialog, which the agent may have ignored. */
  | typeof pressed
  /** Nothing: the screen shows no dialog yet. */
  | { readonly kind: 'hidden' };

export const pressed = { kind: 'pressed' } as const;

/** Throws `ask-gone`, `ask-not-answerable`. */
export async function giveAnswer(
  app: AppContext,
  container: Container,
  agents: readonly LiveAgent[],
  given: GivenAnswers,
): Promise<AnswerWay> {
  const { name } = container;
  const [first] = given.asks;
  const statusDir = toolOf(container)?.statusDir;
  const agent = agents.find((one) => asksOfAgent(one).some(({ id }) => id === first?.id));
  if (!first || !agent) throw notAnswerable(name);
  if (agent.report) {
    if (!agent.report.takesAnswers || statusDir === undefined) throw notAnswerable(name);
    const directory = `${guestHome}/${statusDir}/answers`;
    const file = { directory, slot: String(agent.entry.pid), text: forPlugin(given) };
    await writeAnswer(app, name, file);
    return { kind: 'taken' };
  }
  const calls = [...(agent.transcript?.pending ?? []), ...agent.ofSubAgents];
  const call = calls.find(({ id }) => id === callOf(first.id));
  if (!call) throw notAnswerable(name);
  const hook = await waitingHook(app, container, agent, call);
  const output = hook && hookOutput(hook, given.answer);
  if (hook && output !== undefined) {
    const directory = `${guestHome}/${statusDir}/asks`;
    const waiting = `${directory}/${hook.name}.json`;
    await writeAnswer(app, name, { directory, slot: hook.name, waiting, text: output });
    const decision = () =>
      withStore<ReturnType<typeof readDecision>>(app, container, undefined, (store, registry) =>
        readDecision(store, registry, agent.entry, call),
      );
    return { kind: 'taken', decision };
  }
  const others = calls.filter((other) => other !== call);
  // A question can contain what looks like the dialog of another, and the same command looks the same.
  if (others.some((other) => isQuestion(call) || looksLike(other, call))) throw notAnswerable(name);
  return pressOption(app, container, agent, call, given);
}

function looksLike(one: PendingCall, other: PendingCall): boolean {
  const keys = ['command', 'file_path'] as const;
  return keys.every((key) => JSON.stringify(one.input[key]) === JSON.stringify(other.input[key]));
}

/** See session/guest/opencode-answers.js. */
function forPlugin({ asks, answer }: GivenAnswers): string {
  const ask = callOf(asks[0]?.id ?? '');
  return JSON.stringify(
    answer.kind === 'decision'
      ? { ask, reply: answer.option, message: answer.text }
      : { ask, answers: answer.answers },
  );
}

/** The hook may start a moment after the agent says that it asks. */
async function waitingHook(
  app: AppContext,
  container: Container,
  { entry }: LiveAgent,
  call: PendingCall,
): Promise<WaitingHook | undefined> {
  if (!isQuestion(call) && !isPlan(call)) return undefined;
  const beginMs = app.clock.elapsedMs();
  const seen = observeActivity(app, refOf(container.instance), app.signal, hookPollMs);
  for await (const { activity } of seen) {
    const isOpen =
      activity.kind === 'asks' && activity.asks.some(({ id }) => callOf(id) === call.id);
    if (!isOpen) throw answeredElsewhere(container.name);
    const { canAppear, waiting } = waitingHooks(app, container);
    const found = hookOf(waiting, entry.conversation, call);
    if (found || !canAppear || app.clock.elapsedMs() - beginMs > hookMs) return found;
  }
  return undefined;
}

interface HooksReading {
  /** The session was started with the hook. */
  readonly canAppear: boolean;
  readonly waiting: readonly WaitingHook[];
}

function waitingHooks(app: AppContext, container: Container): HooksReading {
  const none: HooksReading = { canAppear: false, waiting: [] };
  return inStore(app, container, none, (store, { statusDir }): HooksReading => {
    const canAppear = store.entry(askScript) !== undefined;
    using directory =
      statusDir === undefined ? undefined : store.openDirectory(`${statusDir}/asks`);
    if (!directory) return { canAppear, waiting: [] };
    // Each has the id of its process; those of a container that was killed may still be there.
    const alive = new Set(
      containerProcesses(container.name).flatMap(({ pid, name }) => (name === 'bash' ? [pid] : [])),
    );
    const names = [...take(directory.entries(), namesMax)].flatMap(({ name }) => {
      const [, file, pid] = /^((\d{1,10})-\d{1,20})\.json$/.exec(name) ?? [];
      return file !== undefined && alive.has(Number(pid)) ? [file] : [];
    });
    const waiting = names.slice(0, hooksMax).flatMap((name) => {
      const text = directory.readHead(`${name}.json`, { maxBytes: hookMaxBytes });
      return (text && parseWaitingHook(name, text.toString('utf8'))) ?? [];
    });
    return { canAppear, waiting };
  });
}

async function pressOption(
  app: AppContext,
  { name }: Container,
  { entry }: LiveAgent,
  call: PendingCall,
  { asks, answer, who }: GivenAnswers,
): Promise<AnswerWay> {
  const [ask, ...others] = asks;
  // The id becomes part of a command of tmux.
  if (!ask || others.length > 0 || !/^[\w.-]{1,100}$/.test(call.id)) throw notAnswerable(name);
  const { pid, cwd } = entry;
  const screen = await agentScreen(app, name, pid);
  const key = dialogKey(screen ?? '', { ask, call, cwd, answer });
  if (key === 'none') return { kind: 'hidden' };
  if (key === 'other') throw notShown(name);
  const result = await chooseInTmux(app, name, { ask: call.id, who, pid, key });
  if (result === 'chosen') return pressed;
  throw result === 'answered' ? answeredElsewhere(name) : notShown(name);
}
