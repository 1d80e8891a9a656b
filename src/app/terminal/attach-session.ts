// Attaches a terminal to a running session, opens it again if Incus lost it, and waits for its end.
import { CoiError } from '../../errors.ts';
import { asAgent } from '../../guest-user.ts';
import { guestScript } from '../../host/install/resources.ts';
import { detachDetector } from '../../host/process/detach-detector.ts';
import { joinTerminal } from '../../host/terminal/silent-terminal-retry.ts';
import { type BridgeEnd, type Local, terminalSize } from '../../host/terminal/terminal-bridge.ts';
import type { TerminalTap } from '../../host/terminal/terminal-tap.ts';
import { keys } from '../../instance-keys.ts';
import { type ContainerName, tmuxSession } from '../../names.ts';
import { isIncusError } from '../../session/lifecycle/incus-failure.ts';
import { sshAgentDevice, sshAgentSocket } from '../../session/lifecycle/ssh-agent.ts';
import {
  colorVariables,
  guestHome,
  guestTerm,
  plainEnvironment,
} from '../../session/plan/environment.ts';
import { guardsGit, toolVariables } from '../../session/plan/tool-setup.ts';
import { getByRef } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest } from '../requests.ts';
import { attachAppearance } from './tmux-appearance.ts';
import { watchTerminalLater } from './watch-terminal-later.ts';

export interface AttachRequest extends ConfigurationRequest {
  /** A plain shell instead of the tmux session. */
  readonly bash?: boolean | undefined;
  /** Prefix key of the tmux that the terminal is in. */
  readonly outerPrefix: string | undefined;
}

export interface AttachTerminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Called before the first screen, with the currently configured prefix key of the session's own tmux. */
  readonly onOpen: (prefix: string | undefined) => void;
  /** Shows a notice outside of the agent's screen. */
  readonly showAlert: (message: string) => void;
  /** For notices about other sessions; undefined if the terminal belongs to another program. */
  readonly tap?: TerminalTap | undefined;
}

export interface AttachEnd {
  readonly end: BridgeEnd;
  /** Why forwarding of the user's SSH agent failed. */
  readonly problem: string | undefined;
}

/** Throws `session-failed` for a terminal without output, and if a call fails. */
export async function attachSession(
  app: AppContext,
  request: AttachRequest,
  found: Container & { readonly name: ContainerName },
  terminal: AttachTerminal,
): Promise<AttachEnd> {
  const { name: container, session, instance } = found;
  const incus = await app.incus();
  const command = attachCommand(found, request);
  // Loaded while Incus opens the terminal.
  const extras = import('./attach-extras.ts');
  let openings = 0;
  let filter: Local['filter'];
  const last = detachDetector((chunk) => filter?.(chunk) ?? chunk);
  const { stdin, stdout, tap } = terminal;
  const open = async () => {
    openings += 1;
    // After some seconds the name could belong to another container.
    if (openings > 1) await getByRef(incus, refOf(instance), { signal: app.signal });
    const settings = extras.then(({ loadTerminalSettings }) =>
      loadTerminalSettings(app, request, found),
    );
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
    const [exec, { rules, prefix }] = await Promise.all([opening, settings]);
    filter = rules;
    if (openings === 1) terminal.onOpen(prefix);
    return exec;
  };
  using alerts = new DisposableStack();
  const joined = await joinTerminal(open, { stdin, stdout, tap, filter: last.filter }, app.signal, {
    isLost: (error) => isIncusError(error) && error.lostAtStart,
  });
  if (!joined)
    throw new CoiError('session-failed', `the terminal of ${container} produced no output`, {
      hint: `Run \`coi attach ${container} --bash\` to inspect it, or \`coi kill ${container}\` to end it.`,
    });
  const { remote: exec, ended } = joined;
  // More requests to Incus would delay the first screen.
  const forwarding = extras.then(({ updateForwarding, noteAttached, showAlerts }) => {
    if (session) noteAttached(app, session);
    if (alerts.disposed) return undefined;
    if (tap) alerts.use(watchTerminalLater(app, { container, session: session?.session }, tap));
    // Attacks on protected paths pause the session even without monitoring.
    if (instance.config[keys.monitor] || session?.mounts.protect)
      alerts.use(showAlerts(app, container, terminal.showAlert));
    return updateForwarding(app, request, found);
  });
  const end = last.withDetached(await ended);
  alerts.dispose();
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
    : [...script, 'tmux', tmuxSession(name), workspace, ...attachAppearance(found, outerPrefix)];
}

function environmentOf(app: AppContext, { session, instance }: Container): Record<string, string> {
  return {
    ...plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
    ...colorVariables(app.env['COLORTERM']),
    ...toolVariables({}, { guarded: guardsGit(session?.mounts.protect), git: [] }),
    ...(instance.devices[sshAgentDevice] ? { SSH_AUTH_SOCK: sshAgentSocket } : {}),
  };
}
