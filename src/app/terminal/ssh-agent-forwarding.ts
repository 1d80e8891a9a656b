// Forwarding of the user's SSH agent, where `[ssh] forward_agent` asks for it and there is one.
import { connect } from 'node:net';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { asAgent } from '../../guest-user.ts';
import { leadsThrough } from '../../host/fs/read-within.ts';
import { instanceName, tmuxSession } from '../../names.ts';
import {
  agentHostSocket,
  agentSocket,
  forwardAgent,
  withoutAgent,
} from '../../session/lifecycle/ssh-agent.ts';
import { type ContainerRef, meant } from '../../session/record/change-instance.ts';
import type { AppContext } from '../context.ts';

const answerMs = 500;

/** What a session should have of the user's agent. */
export type AgentWish =
  | { readonly kind: 'off' }
  /** It is wanted, but no agent runs here: what another terminal forwarded stays as long as it lives. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'forward'; readonly socket: string };

export async function agentWish(
  app: AppContext,
  { settings }: ResolvedConfig,
  workspace: string,
): Promise<AgentWish> {
  if (!settings['ssh.forward_agent']) return { kind: 'off' };
  const path = app.env['SSH_AUTH_SOCK'];
  // Incus follows the name as root, each time that somebody connects.
  if (path?.startsWith('/') && leadsThrough(path, [workspace])) {
    app.report.warn(
      `SSH_AUTH_SOCK lies in the workspace, where the agent can exchange it: ${path}`,
    );
    return { kind: 'missing' };
  }
  return path?.startsWith('/') && (await listens(path))
    ? { kind: 'forward', socket: path }
    : { kind: 'missing' };
}

/** What is said where the agent is wanted and does not run. */
export const agentMissing = 'SSH agent forwarding skipped: no agent runs here (SSH_AUTH_SOCK)';

/** What the session's environment gets for it. */
export function agentVariables(wish: AgentWish): Record<string, string> {
  return wish.kind === 'forward' ? { SSH_AUTH_SOCK: agentSocket } : {};
}

/**
 * Makes the forwarding of a running container as it is wanted now: added, led to another agent, or taken away. Returns
 * what went wrong; a failure costs the agent only, so it is told and not thrown. `tmux`: there is a session of it to be told.
 */
export async function followAgent(
  app: AppContext,
  container: ContainerRef,
  wish: AgentWish,
  { tmux = true }: { readonly tmux?: boolean } = {},
): Promise<string | undefined> {
  try {
    const incus = await app.incus();
    if (wish.kind === 'forward') {
      const outcome = await forwardAgent(incus, container, wish.socket, app.signal);
      if (outcome === 'failed') return 'the SSH agent could not be forwarded';
    } else {
      const present = await agentHostSocket(incus, container, app.signal);
      if (present === undefined) return undefined;
      if (wish.kind === 'missing' && (await listens(present))) return undefined;
      await withoutAgent(incus, container, app.signal);
    }
    if (tmux) await tellTmux(app, container, wish.kind === 'forward');
    return undefined;
  } catch (error) {
    return app.signal.aborted
      ? undefined
      : `the SSH agent could not be forwarded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Windows that are opened from now on see it, or no longer see it; a session without tmux has none. */
async function tellTmux(app: AppContext, ref: ContainerRef, present: boolean): Promise<void> {
  const change = present ? ['SSH_AUTH_SOCK', agentSocket] : ['-r', 'SSH_AUTH_SOCK'];
  const container = instanceName(ref.name);
  const incus = await app.incus();
  await meant(incus, ref, { signal: app.signal });
  await incus.execCaptured(
    container,
    {
      command: ['tmux', 'set-environment', '-t', `=${tmuxSession(container)}`, ...change],
      ...asAgent,
    },
    { signal: app.signal },
  );
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (answer: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => done(false), answerMs);
    socket.once('connect', () => done(true)).once('error', () => done(false));
  });
}
