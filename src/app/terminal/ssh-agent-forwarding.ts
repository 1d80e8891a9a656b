// Forwards the user's SSH agent, if `[ssh] forward_agent` is set and an SSH agent is running.
import { connect } from 'node:net';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { asAgent } from '../../guest-user.ts';
import { pathEnters } from '../../host/fs/read-named-file.ts';
import { instanceName, tmuxSession } from '../../names.ts';
import {
  forwardSshAgent,
  removeSshAgent,
  sshAgentHostSocket,
  sshAgentSocket,
} from '../../session/lifecycle/ssh-agent.ts';
import { type ContainerRef, getByRef } from '../../session/record/change-instance.ts';
import type { AppContext } from '../context.ts';

const answerMs = 500;

/** Whether and how a session should reach the user's SSH agent. */
export type SshAgentRequest =
  | { readonly kind: 'off' }
  /** Requested, but no SSH agent runs here: one that another terminal forwarded stays while it runs. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'forward'; readonly socket: string };

export async function resolveSshAgent(
  app: AppContext,
  { settings }: ResolvedConfig,
  workspace: string,
): Promise<SshAgentRequest> {
  if (!settings['ssh.forward_agent']) return { kind: 'off' };
  const path = app.env['SSH_AUTH_SOCK'];
  // Incus resolves the path as root on each connection.
  if (path?.startsWith('/') && pathEnters(path, [workspace])) {
    app.report.warn(`SSH_AUTH_SOCK is in the workspace, where the agent can replace it: ${path}`);
    return { kind: 'missing' };
  }
  return path?.startsWith('/') && (await acceptsConnections(path))
    ? { kind: 'forward', socket: path }
    : { kind: 'missing' };
}

export const sshAgentMissing = 'SSH agent forwarding skipped: no SSH agent found (SSH_AUTH_SOCK)';

/** Variables for the session's environment. */
export function sshAgentVariables(request: SshAgentRequest): Record<string, string> {
  return request.kind === 'forward' ? { SSH_AUTH_SOCK: sshAgentSocket } : {};
}

/**
 * Adds, changes or removes the forwarding of a running container. Returns an error message instead of throwing, because
 * the session works without the SSH agent. `tmux`: also updates the environment of its tmux session.
 */
export async function syncSshAgent(
  app: AppContext,
  container: ContainerRef,
  request: SshAgentRequest,
  { tmux = true }: { readonly tmux?: boolean } = {},
): Promise<string | undefined> {
  try {
    const incus = await app.incus();
    if (request.kind === 'forward') {
      const outcome = await forwardSshAgent(incus, container, request.socket, app.signal);
      if (outcome === 'failed') return 'the SSH agent could not be forwarded';
    } else {
      const present = await sshAgentHostSocket(incus, container, app.signal);
      if (present === undefined) return undefined;
      if (request.kind === 'missing' && (await acceptsConnections(present))) return undefined;
      await removeSshAgent(incus, container, app.signal);
    }
    if (tmux) await updateTmuxEnvironment(app, container, request.kind === 'forward');
    return undefined;
  } catch (error) {
    return app.signal.aborted
      ? undefined
      : `the SSH agent could not be forwarded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Sets or removes SSH_AUTH_SOCK for new tmux windows. */
async function updateTmuxEnvironment(
  app: AppContext,
  ref: ContainerRef,
  present: boolean,
): Promise<void> {
  const change = present ? ['SSH_AUTH_SOCK', sshAgentSocket] : ['-r', 'SSH_AUTH_SOCK'];
  const container = instanceName(ref.name);
  const incus = await app.incus();
  await getByRef(incus, ref, { signal: app.signal });
  await incus.execCaptured(
    container,
    {
      command: ['tmux', 'set-environment', '-t', `=${tmuxSession(container)}`, ...change],
      ...asAgent,
    },
    { signal: app.signal },
  );
}

function acceptsConnections(path: string): Promise<boolean> {
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
