// coi attach: a terminal on a session that runs.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { joinTerminal } from '../host/join-terminal.ts';
import { guestScript } from '../host/resources.ts';
import { type Local, terminalSize } from '../host/terminal.ts';
import { alertKeyName, alertMessage, alertNow, parseAlert } from '../monitor/alert.ts';
import { parseContainerName, tmuxSession } from '../names.ts';
import { type ContainerRef, meant, NotMeant } from '../session/act.ts';
import { isMeant, refOf } from '../session/container-ref.ts';
import { colours, guestHome, guestTerm, plainEnvironment } from '../session/environment.ts';
import { incusFailure, isIncusError } from '../session/failure.ts';
import type { Container } from '../session/record.ts';
import { agentDevice, agentSocket } from '../session/ssh-agent.ts';
import { guardsGit, toolVariables } from '../session/tool-setup.ts';
import type { GlobalOptions } from './command.ts';
import { flagsOf } from './global.ts';
import { attachedLook, hintOfNesting, outerPrefix } from './look.ts';
import { sessionMeant } from './running-session.ts';
import { needTerminal } from './terminal.ts';

export interface AttachOptions extends GlobalOptions {
  bash?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[container]', 'container name or alias (default: the only running session)')
    .option('--bash', 'a plain shell instead of the tmux session')
    .action((name: string | undefined) => attach(app, flagsOf<AttachOptions>(command), name));
}

/** Opens a terminal on the container of that name or alias, or on the only one that runs; only on `ref` where it is given. */
export async function attach(
  app: App,
  options: AttachOptions,
  name: string | undefined,
  ref?: ContainerRef,
): Promise<void> {
  const found = await target(app, options, name);
  if (!found) return;
  if (ref && !isMeant(ref, found.instance)) throw new NotMeant(found.name, true);
  needTerminal(app, 'coi attach');
  const { container, session } = {
    container: parseContainerName(found.name),
    session: found.session,
  };
  const incus = await app.incus();
  const { config } = found.instance;
  const alert = alertNow(parseAlert(config[alertKeyName]), found.status);
  const message = alert && alertMessage(container, alert);
  if (message) app.io.tell(message);
  const workspace =
    session?.target ?? found.instance.devices['workspace']?.['path'] ?? '/workspace';
  const script = ['bash', '-c', guestScript('attach.sh'), 'coi-attach'];
  const outer = options.bash ? undefined : outerPrefix(app);
  const command = options.bash
    ? [...script, 'bash', tmuxSession(container), workspace]
    : [...script, 'tmux', tmuxSession(container), workspace, ...attachedLook(found, outer)];
  // Read while Incus opens the terminal.
  const beside = import('./attach-beside.ts');
  let openings = 0;
  let filter: Local['filter'];
  const open = async () => {
    openings += 1;
    // Opened again after some seconds, it could be another one's.
    if (openings > 1) await meant(incus, refOf(found.instance), { signal: app.signal });
    const today = beside.then(({ terminalToday }) => terminalToday(app, options, found));
    const opening = incus.execTerminal(
      container,
      {
        command,
        environment: {
          ...plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
          ...colours(app.env['COLORTERM']),
          ...toolVariables({}, { guarded: guardsGit(session?.mounts.protect), git: [] }),
          ...(found.instance.devices[agentDevice] ? { SSH_AUTH_SOCK: agentSocket } : {}),
        },
        cwd: '/',
        user: 1000,
        group: 1000,
        ...terminalSize(app.io.stdout),
      },
      { signal: app.signal },
    );
    const [exec, { rules, prefix }] = await Promise.all([opening, today]);
    filter = rules;
    if (openings === 1) hintOfNesting(app, outer, prefix);
    return exec;
  };
  try {
    using telling = new DisposableStack();
    const { stdin, stdout } = app.io;
    const joined = await joinTerminal(
      open,
      { stdin, stdout, filter: (chunk) => filter?.(chunk) ?? chunk },
      app.signal,
      {
        isLost: (error) => isIncusError(error) && error.lostAtStart,
      },
    );
    if (!joined)
      throw new CoiError('session-failed', `the terminal of ${container} shows nothing`, {
        hint: `\`coi attach ${container} --bash\` to look, \`coi kill ${container}\` to end it.`,
      });
    const { remote: exec, ended } = joined;
    // What asks Incus again would be in the way of the first screen.
    const forwarding = beside.then(({ forwardToday, tellAlerts }) => {
      if (telling.disposed) return undefined;
      // Whoever attacks the protection is paused, watched or not.
      if (config['user.coi.monitor'] || session?.mounts.protect)
        telling.use(tellAlerts(app, container));
      return forwardToday(app, options, found);
    });
    const end = await ended;
    telling.dispose();
    exec.close();
    const problem = end.kind === 'exited' && end.status === 0 ? await forwarding : undefined;
    if (problem) app.io.warn(problem);
    // Detaching and `exit` leave it running; what else ends the terminal may have ended the session.
    if (end.kind === 'lost' || (end.kind === 'exited' && end.status !== 0 && !options.bash)) {
      const [{ tellOutcome }, { noteEnd }] = await Promise.all([
        import('./leave.ts'),
        import('./saved.ts'),
      ]);
      const left = { container, reservation: session?.mounts.id, workspace: session?.workspace };
      await tellOutcome(app, left, end);
      if (session) noteEnd(app, session);
    }
    if (end.kind === 'exited' && options.bash && ![0, 130, 137, 143].includes(end.status))
      throw new ExitStatus(end.status);
  } catch (error) {
    throw incusFailure(error, `attaching to ${container} failed`);
  }
}

/** The container that is meant; undefined when there is nothing to attach to and that was said. */
async function target(
  app: App,
  options: AttachOptions,
  name: string | undefined,
): Promise<Container | undefined> {
  const { found, live } = await sessionMeant(app, options, name);
  if (found) {
    if (name === undefined)
      app.io.tell(
        `Attaching to ${found.name}${options.slot === undefined ? '' : ` (slot ${found.session?.slot ?? options.slot})`}...`,
      );
    return found;
  }
  app.io.print(
    live.length === 0
      ? 'No active sessions'
      : [
          'Active sessions:',
          ...live.map(
            (container, at) =>
              `  ${at + 1}. ${container.name}${container.session?.alias ? ` (${container.session.alias})` : ''}`,
          ),
          '',
          'Use: coi attach <container-name>',
        ].join('\n'),
  );
  return undefined;
}
