// A terminal on a session that runs: joined, opened again where Incus lost it, and followed to its end.
import { CoiError } from '../../errors.ts';
import { asAgent } from '../../guest-user.ts';
import { guestScript } from '../../host/install/resources.ts';
import { lastWords } from '../../host/process/last-words.ts';
import { joinTerminal } from '../../host/terminal/dark-terminal-retry.ts';
import { type BridgeEnd, type Local, terminalSize } from '../../host/terminal/terminal-bridge.ts';
import { keys } from '../../instance-keys.ts';
import { type ContainerName, tmuxSession } from '../../names.ts';
import { isIncusError } from '../../session/lifecycle/incus-failure.ts';
import { agentDevice, agentSocket } from '../../session/lifecycle/ssh-agent.ts';
import { colours, guestHome, guestTerm, plainEnvironment } from '../../session/plan/environment.ts';
import { guardsGit, toolVariables } from '../../session/plan/tool-setup.ts';
import { meant } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest } from '../requests.ts';
import { attachedLook } from './tmux-appearance.ts';

export interface AttachRequest extends ConfigurationRequest {
  /** A plain shell instead of the tmux session. */
  readonly bash?: boolean | undefined;
  /** Prefix of the tmux that the terminal is in. */
  readonly outerPrefix: string | undefined;
}

export interface AttachTerminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Prefix of the session's own tmux, as configured today; told before the first screen. */
  readonly opening: (prefix: string | undefined) => void;
  /** A notice beside the screen. */
  readonly showAlert: (message: string) => void;
}

export interface AttachEnd {
  readonly end: BridgeEnd;
  /** What went wrong with the forwarding of the user's SSH agent. */
  readonly problem: string | undefined;
}

/** Throws `session-failed` for a terminal that stays dark, and what a failed call means. */
export async function attachSession(
  app: AppContext,
  request: AttachRequest,
  found: Container & { readonly name: ContainerName },
  terminal: AttachTerminal,
): Promise<AttachEnd> {
  const { name: container, session, instance } = found;
  const incus = await app.incus();
  const command = attachCommand(found, request);
  // Read while Incus opens the terminal.
  const beside = import('./attach-extras.ts');
  let openings = 0;
  let filter: Local['filter'];
  const last = lastWords((chunk) => filter?.(chunk) ?? chunk);
  const { stdin, stdout } = terminal;
  const open = async () => {
    openings += 1;
    // Opened again after some seconds, it could be another one's.
    if (openings > 1) await meant(incus, refOf(instance), { signal: app.signal });
    const today = beside.then(({ terminalToday }) => terminalToday(app, request, found));
    const opening = incus.execTerminal(
      container,
      {
        command,
        environment: environmentOf(app, found),
        cwd: '/',
        ...asAgent,
        ...terminalSize(stdout),
      },
      { signal: app.signal },
    );
    const [exec, { rules, prefix }] = await Promise.all([opening, today]);
    filter = rules;
    if (openings === 1) terminal.opening(prefix);
    return exec;
  };
  using telling = new DisposableStack();
  const joined = await joinTerminal(open, { stdin, stdout, filter: last.filter }, app.signal, {
    isLost: (error) => isIncusError(error) && error.lostAtStart,
  });
  if (!joined)
    throw new CoiError('session-failed', `the terminal of ${container} shows nothing`, {
      hint: `\`coi attach ${container} --bash\` to look, \`coi kill ${container}\` to end it.`,
    });
  const { remote: exec, ended } = joined;
  // What asks Incus again would be in the way of the first screen.
  const forwarding = beside.then(({ forwardToday, noteAttached, tellAlerts }) => {
    if (session) noteAttached(app, session);
    if (telling.disposed) return undefined;
    // Whoever attacks the protection is paused, watched or not.
    if (instance.config[keys.monitor] || session?.mounts.protect)
      telling.use(tellAlerts(app, container, terminal.showAlert));
    return forwardToday(app, request, found);
  });
  const end = last.told(await ended);
  telling.dispose();
  exec.close();
  const isLeft = end.kind === 'exited' && end.status === 0;
  return { end, problem: isLeft ? await forwarding : undefined };
}

function attachCommand(
  found: Container & { readonly name: ContainerName },
  { bash, outerPrefix }: AttachRequest,
): string[] {
  const { name, session, instance } = found;
  const workspace = session?.target ?? instance.devices['workspace']?.['path'] ?? '/workspace';
  const script = ['bash', '-c', guestScript('attach.sh'), 'coi-attach'];
  return bash
    ? [...script, 'bash', tmuxSession(name), workspace]
    : [...script, 'tmux', tmuxSession(name), workspace, ...attachedLook(found, outerPrefix)];
}

function environmentOf(app: AppContext, { session, instance }: Container): Record<string, string> {
  return {
    ...plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
    ...colours(app.env['COLORTERM']),
    ...toolVariables({}, { guarded: guardsGit(session?.mounts.protect), git: [] }),
    ...(instance.devices[agentDevice] ? { SSH_AUTH_SOCK: agentSocket } : {}),
  };
}
