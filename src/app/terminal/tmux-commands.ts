// Runs tmux.sh in a container, as the user who has the tmux session.
import { randomUUID } from 'node:crypto';
import type { DialogKey } from '../../attention/answers/claude-dialog.ts';
import { cleanLine } from '../../attention/clean.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import type { CapturedExec } from '../../incus/client.ts';
import { type ContainerName, tmuxSession } from '../../names.ts';
import type { AppContext } from '../context.ts';
import { guestDeadline, runGuestScript } from '../run-command/guest-script.ts';

const reasonMax = 200;
/** Exit status of tmux.sh if that user has no such session. */
const noSession = 3;
/** Exit status of tmux.sh if it typed nothing because a dialog of the agent is open. */
const dialogUp = 4;
/** Exit status of tmux.sh if none of the agents has a terminal of the session. */
const noAgent = 5;
/** Exit status of tmux.sh if a dialog opened when the text was typed. */
const notSubmitted = 6;
/** Exit status of tmux.sh if the agent does not say that it is idle. */
const isBusy = 7;
/** Exit status of tmux.sh if the screen does not show the question. */
const notShown = 8;
/** Exit status of tmux.sh if another request has just answered the question. */
const wasAnswered = 9;
/** tmux sessions belong to the agent's user; in older versions and foreign images to root. */
export const tmuxUsers = [agentUser, { uid: 0, home: '/root', name: 'root' }] as const;

/** The output, and the user who has the session. */
export type TmuxResult = CapturedExec & { readonly uid: (typeof tmuxUsers)[number]['uid'] };

/** A message for an agent. */
export interface TmuxMessage {
  readonly text: string;
  /** Process ids in the container, one of which must have a terminal of the session. */
  readonly pids: readonly number[];
  /** Keys that submit it; undefined for Enter. */
  readonly submit: string | undefined;
  /** Directory in the container with status files, one of which must say that the agent is idle. */
  readonly idleIn: string | undefined;
}

/**
 * `sent`: to the agent with that process id. `no-terminal`: none of them has a terminal in that tmux session, nothing was
 * typed. `asks`: a dialog is open, nothing was typed. `not-submitted`: a dialog opened when the text was typed. `busy`: the
 * agent is not idle, nothing was typed.
 */
export type TmuxMessageResult =
  | { readonly kind: 'sent'; readonly pid: number }
  | { readonly kind: 'no-session' | 'no-terminal' | 'asks' | 'not-submitted' | 'busy' };

export async function messageInTmux(
  app: AppContext,
  name: ContainerName,
  { text, pids, submit, idleIn }: TmuxMessage,
): Promise<TmuxMessageResult> {
  const found = await tryInTmux(app, name, 'message', text, [
    pids.join(' '),
    submit ?? '',
    idleIn ?? '',
  ]);
  switch (found?.status) {
    case undefined:
      return { kind: 'no-session' };
    case 0:
      return { kind: 'sent', pid: Number(found?.stdout.toString('utf8')) };
    case dialogUp:
      return { kind: 'asks' };
    case noAgent:
      return { kind: 'no-terminal' };
    case notSubmitted:
      return { kind: 'not-submitted' };
    case isBusy:
      return { kind: 'busy' };
    default:
      throw tmuxFailure(name, found);
  }
}

/** An option of a dialog on the screen. */
export interface TmuxChoice {
  /** The id of the question: it is answered once. Letters, digits, `_`, `.` and `-`. */
  readonly ask: string;
  /** Of the request, which may press it again. */
  readonly who: string;
  /** The agent's process in the container. */
  readonly pid: number;
  readonly key: DialogKey;
}

/** `answered`: another request has just answered this question. `other`: the screen no longer shows it. */
export async function chooseInTmux(
  app: AppContext,
  name: ContainerName,
  { ask, who, pid, key }: TmuxChoice,
): Promise<'chosen' | 'answered' | 'other'> {
  const words = [String(pid), ask, who, key.number, guestDeadline(app)];
  const found = await tryInTmux(app, name, 'choose', `${key.line}\n${key.dialog}\n`, words);
  switch (found?.status) {
    case 0:
      return 'chosen';
    case undefined:
    case noAgent:
    case notShown:
      return 'other';
    case wasAnswered:
      return 'answered';
    default:
      throw tmuxFailure(name, found);
  }
}

/** The screen of the agent with that process id in the container; undefined if it has none. */
export async function agentScreen(
  app: AppContext,
  name: ContainerName,
  pid: number,
): Promise<string | undefined> {
  const found = await tryInTmux(app, name, 'look', '', [String(pid)]);
  if (found === undefined || found.status === noAgent) return undefined;
  if (found.status === 0) return found.stdout.toString('utf8');
  throw tmuxFailure(name, found);
}

/**
 * `dialogs`: `raw` to ignore them, `asks` if one is known to be open, otherwise the screen tells. Throws `session-asks` if
 * one is open, and `session-not-found`.
 */
export async function runInTmux(
  app: AppContext,
  name: ContainerName,
  verb: string,
  text: string,
  dialogs: 'raw' | 'asks' | 'look' = 'look',
): Promise<TmuxResult> {
  const found = await tryInTmux(app, name, verb, text, dialogs === 'look' ? [] : [dialogs]);
  if (found?.status === 0) return found;
  if (found?.status === dialogUp) throw dialogIsOpen(name);
  throw found ? tmuxFailure(name, found) : noTmux(name);
}

/** For input that was not typed. */
function dialogIsOpen(name: ContainerName): CoiError {
  return new CoiError(
    'session-asks',
    `nothing was typed: the agent in ${name} is asking a question`,
    {
      hint: `Run \`coi tmux capture ${name}\` to see it; --key answers it, --raw types anyway.`,
    },
  );
}

/** What the session's terminal shows. Throws `session-not-found`. */
export async function capturedScreen(app: AppContext, name: ContainerName): Promise<string> {
  const { stdout } = await runInTmux(app, name, 'capture', '');
  return stdout.toString('utf8').replace(/\n+$/, '');
}

export function noTmux(name: ContainerName): CoiError {
  return new CoiError('session-not-found', `there is no tmux session in ${name}`, {
    hint: `Run \`coi attach ${name}\` to open one.`,
  });
}

function tmuxFailure(name: ContainerName, result: CapturedExec | undefined): CoiError {
  const reason = cleanLine(result?.stderr.toString('utf8') ?? '', reasonMax);
  return new CoiError('failed', `tmux in ${name} failed: ${reason}`);
}

/** Tries the tmux servers of the users in turn; undefined if none has the session. */
export async function tryInTmux(
  app: AppContext,
  name: ContainerName,
  verb: string,
  text: string,
  more: readonly string[] = [],
): Promise<TmuxResult | undefined> {
  const words = [verb, tmuxSession(name), randomUUID(), ...more];
  const call = { script: 'tmux.sh', called: 'coi-tmux', words, input: text, doing: 'running tmux' };
  for (const user of tmuxUsers) {
    const result = await runGuestScript(app, name, { ...call, user });
    if (result.status !== noSession) return { ...result, uid: user.uid };
  }
  return undefined;
}
