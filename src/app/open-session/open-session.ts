// Opens a session: from the one that was selected to an agent on a terminal, or in the background. What happens on the way
// is told to whoever asked.
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import { tmuxSession } from '../../names.ts';
import type { StepEvent } from '../../session/lifecycle/steps.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { agentAndGit } from '../session-spec/git-identity.ts';
import {
  type Opening,
  openInBackground,
  openOnTerminal,
  type Terminal,
} from '../terminal/open-tool.ts';
import { type AgentWish, agentVariables, followAgent } from '../terminal/ssh-agent-forwarding.ts';
import { startedLook } from '../terminal/tmux-appearance.ts';
import type { LiveSession } from './live-session.ts';
import { orTakenBack } from './missing-agent.ts';
import type { SelectedSession } from './select-session.ts';
import { startSession } from './start-session.ts';
import { orUndone, undoWatch } from './undo-start.ts';
import { registerAlias } from './workspace-alias.ts';

/** A session that runs, before its agent is opened. */
export interface StartedSession {
  readonly selected: SelectedSession;
  readonly live: LiveSession;
  readonly forwarding: AgentWish;
  readonly tmux: boolean;
}

/** Starts what was selected. `tmux` false: the agent is to run directly on the terminal. Throws; nothing is left then. */
export async function startSelected(
  app: AppContext,
  request: OpenSessionRequest,
  selected: SelectedSession,
  { tmux = true }: { readonly tmux?: boolean | undefined } = {},
): Promise<StartedSession> {
  await registerAlias(app, selected);
  const { resolved, at } = selected;
  const { forwarding, git } = await agentAndGit(app, resolved, at.workspace);
  const progress = app.progress();
  const undo = undoWatch();
  const tell = (event: StepEvent) => {
    undo.tell(event);
    progress.tell(event);
  };
  try {
    const live = await startSession(app, request, { ...selected, git }, tell);
    return { selected, live, forwarding, tmux: tmux && resolved.settings['shell.use_tmux'] };
  } catch (error) {
    throw undo.told(error);
  } finally {
    progress.clear();
  }
}

/** Starts the agent in a detached tmux session, whose name is returned. Throws; the start is undone then. */
export async function openDetached(app: AppContext, started: StartedSession): Promise<string> {
  const { selected, live } = started;
  const opening = openingOf(started, undefined);
  await orTakenBack(app, selected, live, orUndone(app, live, openInBackground(app, opening)));
  const problem = await forwardTo(app, started);
  if (problem) app.report.warn(problem);
  return opening.session;
}

export interface OnTerminal extends Terminal {
  /** Prefix of the tmux that the terminal is in. */
  readonly outerPrefix: string | undefined;
  /** The terminal is the agent's now. */
  readonly shown: () => void;
}

/** How a terminal that the agent was opened on has ended. */
export interface TerminalEnd {
  readonly end: BridgeEnd;
  /** What went wrong with the forwarding of the user's SSH agent. */
  readonly problem: string | undefined;
}

/** Opens the agent on a terminal and waits for its end. Throws; the start is undone where the agent is not there. */
export async function openAttached(
  app: AppContext,
  started: StartedSession,
  terminal: OnTerminal,
): Promise<TerminalEnd> {
  const { selected, live } = started;
  let forwarded: Promise<string | undefined> | undefined;
  const shown = () => {
    forwarded = forwardTo(app, started);
    terminal.shown();
  };
  const opening = openingOf(started, terminal.outerPrefix);
  const running = openOnTerminal(app, terminal, opening, shown);
  const end = await orTakenBack(app, selected, live, orUndone(app, live, running));
  const isLeft = end.kind === 'exited' && end.status === 0;
  return { end, problem: isLeft ? await forwarded : undefined };
}

function openingOf(
  { selected, live, forwarding, tmux }: StartedSession,
  outerPrefix: string | undefined,
): Opening {
  const { container, target, command, again, needs } = live;
  return {
    container,
    session: tmuxSession(container),
    workspace: target,
    environment: { ...live.environment, ...agentVariables(forwarding) },
    command,
    again,
    needs,
    tmux,
    look: startedLook(selected.resolved.settings, { ...live, outerPrefix }),
  };
}

/** A container that was just started has no SSH agent yet, so there is nothing to take away. */
async function forwardTo(
  app: AppContext,
  { selected, live, forwarding }: StartedSession,
): Promise<string | undefined> {
  const ref = { name: live.container, mountsId: live.reservation };
  return forwarding.kind === 'forward' || selected.choice.kind === 'join'
    ? followAgent(app, ref, forwarding)
    : undefined;
}
