// The ways in which an answer reaches an agent: its plugin or hook, which take it from a file, or a key in its dialog.
import type { Ask } from '../../attention/activity.ts';
import { type Answer, callOf } from '../../attention/answers/choice.ts';
import {
  hookOf,
  hookOutput,
  parseWaitingHook,
  type WaitingHook,
} from '../../attention/answers/claude-hook.ts';
import { screenChoice } from '../../attention/answers/claude-screen.ts';
import { isPlan, isQuestion } from '../../attention/claude/asks.ts';
import type { PendingCall } from '../../attention/claude/transcript.ts';
import { asksOfAgent, type LiveAgent } from '../../attention/reduce.ts';
import { take } from '../../host/take.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { askScript } from '../../tools/claude.ts';
import type { AppContext } from '../context.ts';
import { chooseInTmux } from '../terminal/tmux-commands.ts';
import { inStoreOf, toolOf } from './container-activity.ts';
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
const hooksMax = 16;
const hookMs = 3000;
const hookPollMs = 100;
const hookMaxBytes = 256 * 1024;

/**
 * `pressed`: a key in the dialog, which the agent may have ignored. `hidden`: nothing, the screen shows no dialog yet. Throws
 * `ask-gone`, `ask-not-answerable`.
 */
export async function giveAnswer(
  app: AppContext,
  container: Container,
  agents: readonly LiveAgent[],
  given: GivenAnswers,
): Promise<'taken' | 'pressed' | 'hidden'> {
  const { name } = container;
  const [first] = given.asks;
  const statusDir = toolOf(container)?.statusDir;
  const agent = agents.find((one) => asksOfAgent(one).some(({ id }) => id === first?.id));
  if (!first || !agent) throw notAnswerable(name);
  if (agent.report) {
    if (!agent.report.takesAnswers || statusDir === undefined) throw notAnswerable(name);
    const slot = String(agent.entry.pid);
    await writeAnswer(app, name, `${guestHome}/${statusDir}/answers`, slot, forPlugin(given));
    return 'taken';
  }
  const call = [...(agent.transcript?.pending ?? []), ...agent.ofSubAgents].find(
    ({ id }) => id === callOf(first.id),
  );
  if (!call) throw notAnswerable(name);
  const hook = await waitingHook(app, container, agent, call);
  const output = hook && hookOutput(hook, given.answer);
  if (hook && output !== undefined) {
    await writeAnswer(app, name, `${guestHome}/${statusDir}/asks`, hook.name, output);
    return 'taken';
  }
  return pressOption(app, container, agent, call, given);
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
    const { canAppear, waiting } = waitingHooks(app, container);
    const found = hookOf(waiting, entry.conversation, call);
    const isOver = activity.kind !== 'asks' || app.clock.elapsedMs() - beginMs > hookMs;
    if (found || !canAppear || isOver) return found;
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
  return inStoreOf(app, container, none, (store, { statusDir }): HooksReading => {
    const canAppear = store.entry(askScript) !== undefined;
    using directory =
      statusDir === undefined ? undefined : store.openDirectory(`${statusDir}/asks`);
    if (!directory) return { canAppear, waiting: [] };
    const names = [...take(directory.entries(), hooksMax)].flatMap(
      (entry) => /^([\d-]{1,40})\.json$/.exec(entry.name)?.[1] ?? [],
    );
    const waiting = names.flatMap((name) => {
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
): Promise<'pressed' | 'hidden'> {
  const [ask, ...others] = asks;
  const choice = ask && others.length === 0 ? screenChoice(ask, call, answer) : undefined;
  // The id becomes part of a command of tmux.
  if (!choice || !/^[\w-]{1,100}$/.test(call.id)) throw notAnswerable(name);
  const result = await chooseInTmux(app, name, { ask: call.id, who, pid: entry.pid, choice });
  if (result === 'chosen') return 'pressed';
  if (result === 'none') return 'hidden';
  if (result === 'answered') throw answeredElsewhere(name);
  throw notShown(name);
}
