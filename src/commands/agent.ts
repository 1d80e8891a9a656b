// Forwarding of the user's SSH agent, where `[ssh] forward_agent` asks for it and there is one.
import { connect } from 'node:net';
import type { App } from '../app.ts';
import type { ResolvedConfig } from '../config/load.ts';
import { agentSocket, forwardAgent } from '../session/ssh-agent.ts';

const answerMs = 500;

/** Path of the agent's socket on the host, if it is to be forwarded and something listens there. */
export async function hostAgent(
  app: App,
  { settings }: ResolvedConfig,
): Promise<string | undefined> {
  if (!settings['ssh.forward_agent']) return undefined;
  const path = app.env['SSH_AUTH_SOCK'];
  if (path?.startsWith('/') && (await listens(path))) return path;
  app.io.tell('[setup] SSH agent forwarding skipped: no agent runs here (SSH_AUTH_SOCK)');
  return undefined;
}

/** What the session's environment gets for it. */
export function agentVariables(socket: string | undefined): Record<string, string> {
  return socket === undefined ? {} : { SSH_AUTH_SOCK: agentSocket };
}

/** Adds it to a running container; a failure costs the agent only, so it is told and not thrown. */
export async function addAgent(
  app: App,
  container: string,
  socket: string | undefined,
): Promise<string | undefined> {
  if (socket === undefined) return undefined;
  try {
    const outcome = await forwardAgent(await app.incus(), container, socket, app.signal);
    return outcome === 'failed' ? 'the SSH agent could not be forwarded' : undefined;
  } catch (error) {
    return app.signal.aborted
      ? undefined
      : `the SSH agent could not be forwarded: ${error instanceof Error ? error.message : String(error)}`;
  }
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
