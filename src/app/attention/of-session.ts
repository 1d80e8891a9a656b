// Status, wait, send, answer and screen of one session, for the library.
import type { Activity } from '../../attention/activity.ts';
import { cleanText } from '../../attention/clean.ts';
import { checkedMessage } from '../../attention/message.ts';
import type { AnswerChoice, SendOptions, Sent } from '../../library-types.ts';
import { type ContainerRef, StaleContainerRef } from '../../session/record/change-instance.ts';
import { matchesRef } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { existingContainer } from '../targets/container-by-name.ts';
import { notRunning } from '../targets/named-session.ts';
import { capturedScreen } from '../terminal/tmux-commands.ts';
import { answerAsk } from './answer.ts';
import { readActivity } from './container-activity.ts';
import { sendMessage } from './send.ts';
import { waitForSessions } from './wait.ts';

const screenMax = 256 * 1024;

export async function currentActivity(app: AppContext, ref: ContainerRef): Promise<Activity> {
  return readActivity(app, await containerOfRef(app, ref)).activity;
}

export async function waitForSession(
  app: AppContext,
  ref: ContainerRef,
  options: { readonly for?: readonly ('idle' | 'asks' | 'exit')[]; readonly signal?: AbortSignal },
): Promise<Activity> {
  const container = await containerOfRef(app, ref);
  let reached: Activity | undefined;
  await waitForSessions(
    withSignal(app, options.signal),
    {
      containers: [container],
      goals: options.for ?? ['idle', 'asks', 'exit'],
      since: undefined,
      any: true,
      limit: undefined,
    },
    ({ activity }) => {
      reached = activity;
    },
  );
  return reached ?? { kind: 'ended' };
}

export async function sendText(
  app: AppContext,
  ref: ContainerRef,
  text: string,
  { wait = false, interrupt = false, signal }: SendOptions & { readonly wait?: boolean },
): Promise<Sent> {
  const message = checkedMessage(text);
  const container = await containerOfRef(app, ref);
  const request = { container, text: message.text, wait, interrupt, limit: undefined };
  const { state, end, reply } = await sendMessage(withSignal(app, signal), request);
  return { state, end, reply };
}

export async function answerQuestion(
  app: AppContext,
  ref: ContainerRef,
  ask: string,
  { options = [], text }: AnswerChoice,
): Promise<void> {
  const container = await containerOfRef(app, ref);
  const choice = {
    words: options,
    ...(text !== undefined && { text: checkedMessage(text).text }),
  };
  await answerAsk(app, { container, ask, choice });
}

export async function screenOf(app: AppContext, ref: ContainerRef): Promise<string> {
  const container = await containerOfRef(app, ref);
  if (container.status !== 'Running') throw notRunning(container);
  return cleanText(await capturedScreen(app, container.name), screenMax).text;
}

/** Throws `session-not-found` and StaleContainerRef. */
export async function containerOfRef(app: AppContext, ref: ContainerRef): Promise<Container> {
  const found = await existingContainer(app, {}, ref.name);
  if (!matchesRef(ref, found.instance)) throw new StaleContainerRef(ref.name, true);
  return found;
}

function withSignal(app: AppContext, signal: AbortSignal | undefined): AppContext {
  return signal ? { ...app, signal: AbortSignal.any([app.signal, signal]) } : app;
}
