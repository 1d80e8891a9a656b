// Opens a selected session: starts its container, then its agent on a terminal or in the background.
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import { tmuxSession } from '../../names.ts';
import type { StepEvent } from '../../session/lifecycle/steps.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { sshAgentAndGit } from '../session-spec/git-identity.ts';
import {
  type OpenRequest,
  openInBackground,
  openOnTerminal,
  type Terminal,
} from '../terminal/open-agent.ts';
import {
  type SshAgentRequest,
  sshAgentVariables,
  syncSshAgent,
} from '../terminal/ssh-agent-forwarding.ts';
import { startAppearance } from '../terminal/tmux-appearance.ts';
import { markSetUp } from '../trees/tree-setup.ts';
import type { LiveSession } from './live-session.ts';
import { undoIfMissing } from './missing-agent.ts';
import type { SelectedSession } from './select-session.ts';
import { startSession } from './start-session.ts';
import { undoIfInterrupted, undoWatch } from './undo-start.ts';
import { registerAlias } from './workspace-alias.ts';

/** A session that runs, before its agent is opened. */
export interface StartedSession {
  readonly selected: SelectedSession;
  readonly live: LiveSession;
  readonly forwarding: SshAgentRequest;
  readonly tmux: boolean;
}

/** Starts the container. `tmux` false: the agent will run directly on the terminal. Throws without leaving anything behind. */
export async function startSelected(
  app: AppContext,
  request: OpenSessionRequest,
  selected: SelectedSession,
  { tmux = true }: { readonly tmux?: boolean | undefined } = {},
): Promise<StartedSession> {
  await registerAlias(app, selected);
  const { resolved, at } = selected;
  const { forwarding, git } = await sshAgentAndGit(app, resolved, at.workspace);
  const progress = app.progress();
  const undo = undoWatch();
  const report = (event: StepEvent) => {
    undo.update(event);
    progress.update(event);
  };
  try {
    const live = await startSession(app, request, { ...selected, git }, report);
    if (selected.choice.kind !== 'join') await markSetUp(app, at.workspace, resolved.settings);
    return { selected, live, forwarding, tmux: tmux && resolved.settings['shell.use_tmux'] };
  } catch (error) {
    throw undo.explain(error);
  } finally {
    progress.clear();
  }
}

/** Starts the agent in a detached tmux session and returns its name. Undoes the start if interrupted or the agent is missing. */
export async function openDetached(app: AppContext, started: StartedSession): Promise<string> {
  const { selected, live } = started;
  const request = openRequest(started, undefined);
  await undoIfMissing(
    app,
    selected,
    live,
    undoIfInterrupted(app, live, openInBackground(app, request)),
  );
  const problem = await forwardSshAgent(app, started);
  if (problem) app.report.warn(problem);
  return request.session;
}

export interface AgentTerminal extends Terminal {
  /** Prefix key of the tmux that the terminal is in. */
  readonly outerPrefix: string | undefined;
  /** Called when the agent has the terminal. */
  readonly onShown: () => void;
}

/** How the agent's terminal has ended. */
export interface TerminalEnd {
  readonly end: BridgeEnd;
  /** Why forwarding of the user's SSH agent failed. */
  readonly problem: string | undefined;
}

/** Starts the agent on a terminal and waits for its end. Undoes the start if interrupted or the agent is missing. */
export async function openAttached(
  app: AppContext,
  started: StartedSession,
  terminal: AgentTerminal,
): Promise<TerminalEnd> {
  const { selected, live } = started;
  let forwarded: Promise<string | undefined> | undefined;
  const onShown = () => {
    forwarded = forwardSshAgent(app, started);
    terminal.onShown();
  };
  const request = openRequest(started, terminal.outerPrefix);
  const running = openOnTerminal(app, terminal, request, onShown);
  const end = await undoIfMissing(app, selected, live, undoIfInterrupted(app, live, running));
  const isLeft = end.kind === 'exited' && end.status === 0;
  return { end, problem: isLeft ? await forwarded : undefined };
}

function openRequest(
  { selected, live, forwarding, tmux }: StartedSession,
  outerPrefix: string | undefined,
): OpenRequest {
  const { container, target, command, again, needs } = live;
  return {
    container,
    session: tmuxSession(container),
    workspace: target,
    environment: { ...live.environment, ...sshAgentVariables(forwarding) },
    command,
    again,
    needs,
    tmux,
    appearance: startAppearance(selected.resolved.settings, { ...live, outerPrefix }),
  };
}

/** A container that was just started has no forwarded SSH agent that could be removed. */
async function forwardSshAgent(
  app: AppContext,
  { selected, live, forwarding }: StartedSession,
): Promise<string | undefined> {
  const ref = { name: live.container, mountsId: live.reservation };
  return forwarding.kind === 'forward' || selected.choice.kind === 'join'
    ? syncSshAgent(app, ref, forwarding)
    : undefined;
}
