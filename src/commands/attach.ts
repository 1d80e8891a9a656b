// coi attach: a terminal on a session that runs.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { joinTerminal } from '../host/join-terminal.ts';
import { lastWords } from '../host/last-words.ts';
import { guestScript } from '../host/resources.ts';
import { type BridgeEnd, type Local, terminalSize } from '../host/terminal.ts';
import { alertKeyName, alertMessage, alertNow, parseAlert } from '../monitor/alert.ts';
import {
  type ContainerName,
  containerName,
  parseContainerName,
  parseSlot,
  tmuxSession,
} from '../names.ts';
import { type ContainerRef, meant, NotMeant } from '../session/act.ts';
import { isMeant, refOf } from '../session/container-ref.ts';
import { colours, guestHome, guestTerm, plainEnvironment } from '../session/environment.ts';
import { incusFailure, isIncusError } from '../session/failure.ts';
import { findContainer } from '../session/lookup.ts';
import type { Container } from '../session/record.ts';
import { agentDevice, agentSocket } from '../session/ssh-agent.ts';
import { guardsGit, toolVariables } from '../session/tool-setup.ts';
import { endingLine, leftBy } from '../ui/story.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import { here, isOf } from './here.ts';
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
  const shell = ['sh', '-c', 'cd "$1" 2>/dev/null || cd; exec bash', 'coi-bash', workspace];
  const tmux = [
    'sh',
    '-c',
    guestScript('attach.sh'),
    'coi-attach',
    tmuxSession(container),
    workspace,
  ];
  // Read while Incus opens the terminal.
  const beside = import('./attach-beside.ts');
  let openings = 0;
  let filter: Local['filter'];
  const last = lastWords((chunk) => filter?.(chunk) ?? chunk);
  const open = async () => {
    openings += 1;
    // Opened again after some seconds, it could be another one's.
    if (openings > 1) await meant(incus, refOf(found.instance), { signal: app.signal });
    const filtering = beside.then(({ filterToday }) => filterToday(app, options, found));
    const opening = incus.execTerminal(
      container,
      {
        command: options.bash ? shell : tmux,
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
    const [exec, rules] = await Promise.all([opening, filtering]);
    filter = rules;
    return exec;
  };
  try {
    using telling = new DisposableStack();
    const { stdin, stdout } = app.io;
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
      if (config['user.coi.monitor'] || session?.mounts.protect)
        telling.use(tellAlerts(app, container));
      return forwardToday(app, options, found);
    });
    const end = last.told(await ended);
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
      const left = {
        container,
        reservation: session?.mounts.id,
        workspace: session?.workspace,
        store: session,
        alias: session?.alias,
      };
      await tellOutcome(app, left, end);
      if (session) noteEnd(app, session);
    } else if (!options.bash) tellLeft(app, container, end);
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
  const all = await ownContainers(app, options);
  if (name !== undefined) return running(findContainer(app, all, name), name);
  const workspace = here(app, options);
  const isHere = isOf(workspace);
  if (options.slot !== undefined) {
    const slot = parseSlot(options.slot);
    const wanted = workspace.hashes.map((hash) => containerName(app.prefix, hash, slot));
    // A session with a name of its own has another hash, and so has one that was begun through a link.
    const inSlot = all.filter(
      (container) =>
        wanted.some((name) => name === container.name) ||
        (isHere(container) && container.session?.slot === Number(slot)),
    );
    // Each of the two names may have had one in that slot.
    const live = inSlot.find(({ status }) => status === 'Running');
    const found = running(live ?? inSlot[0], wanted[0] ?? '');
    app.io.tell(`Attaching to ${found.name} (slot ${slot})...`);
    return found;
  }
  const live = all.filter(({ status }) => status === 'Running');
  const own = live.filter(isHere);
  // The only one of this workspace, or else the only one at all.
  const [only] = own.length === 1 ? own : live;
  if (!only) {
    app.io.print('No active sessions');
    return undefined;
  }
  if (own.length === 1 || live.length === 1) {
    app.io.tell(`Attaching to ${only.name}...`);
    return only;
  }
  app.io.print(
    [
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

function running(container: Container | undefined, name: string): Container {
  if (container?.status === 'Running') return container;
  const frozen = container?.status === 'Frozen';
  throw new CoiError('session-not-found', `container ${name} not found or not running`, {
    hint: frozen
      ? `It is paused; \`coi unfreeze ${container.name}\` lets it go on.`
      : 'See `coi list`.',
  });
}

/** It was not looked at again: what ends a session ends its terminal in another way. */
function tellLeft({ io }: App, container: ContainerName, end: BridgeEnd): void {
  if (!io.brief) return;
  const left = leftBy(end);
  io.tell(
    io.storyStyle.dim(endingLine({ container, outcome: 'running', left, resume: undefined })),
  );
}
