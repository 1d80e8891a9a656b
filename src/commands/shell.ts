// coi shell: an agent on the user's terminal, in a machine of its own.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { tmuxSession } from '../names.ts';
import type { ContainerRef } from '../session/container-ref.ts';
import { incusFailure } from '../session/failure.ts';
import { stepProgress } from '../ui/progress.ts';
import { stepTiming, type Timing } from '../ui/timing.ts';
import { type AgentWish, agentVariables, followAgent } from './agent.ts';
import { tellAlerts } from './alerts.ts';
import { registerAlias } from './alias.ts';
import { announce } from './announce.ts';
import { bringUp, type Live } from './bring-up.ts';
import { agentAndGit } from './git-inside.ts';
import { flagsOf } from './global.ts';
import { leave } from './leave.ts';
import { hintOfNesting, outerPrefix, startedLook } from './look.ts';
import { type Meant, meantSession, type ShellOptions } from './meant.ts';
import { openInBackground, openOnTerminal, tellBackground } from './open.ts';
import { terminalRules } from './prepare.ts';
import { tellWarnings } from './tell-warnings.ts';
import { needTerminal } from './terminal.ts';
import { orTakenBack } from './tool-missing.ts';
import { orUndone, undoWatch } from './undone.ts';

export function register(command: Command, app: App): void {
  command
    .argument('[alias]', 'alias of a workspace, from any directory')
    .option('--background', 'start without a terminal and return')
    .option('--json', 'print the session as JSON (with --background)')
    .option('--no-tmux', 'run the tool directly on the terminal, without tmux')
    .option('--container <name>', 'use this existing container')
    .option('--tool <name>', 'agent: claude, opencode, codex, pi, gemini, aider or one of your own')
    .addHelpText(
      'after',
      '\nCtrl-b d detaches, `sudo poweroff` inside ends the session, `coi attach` comes back.\nCtrl-C before the agent has opened undoes the start.',
    )
    .action(
      async (alias: string | undefined) =>
        void (await shell(app, flagsOf<ShellOptions>(command), alias)),
    );
}

/** Starts or resumes the session that is meant, and returns when its terminal has ended, or at once for the background. */
export async function shell(
  app: App,
  options: ShellOptions,
  alias: string | undefined,
): Promise<Live> {
  const timing = stepTiming(app.env, app.io.stderr, app.clock.elapsedMs);
  timing.mark('parsed');
  try {
    if (options.json && !options.background)
      throw new CoiError('usage', '--json needs --background', { hint: 'Add --background.' });
    const meant = await meantSession(app, options, alias);
    tellWarnings(app, meant.resolved);
    timing.mark('decided');
    // What is wrong with the line is said first: scripts that look for it have no terminal.
    if (!options.background) needTerminal(app, 'coi shell');
    return await open(app, options, meant, timing);
  } catch (error) {
    throw incusFailure(error, 'opening the session failed');
  } finally {
    timing.report();
  }
}

async function open(app: App, options: ShellOptions, meant: Meant, timing: Timing): Promise<Live> {
  await registerAlias(app, meant);
  const { forwarding, git } = await agentAndGit(app, meant.resolved, meant.at.workspace);
  const progress = stepProgress(app.io);
  const undo = undoWatch();
  let live: Live;
  try {
    live = await bringUp(app, options, { ...meant, git }, (event) => {
      timing.tell(event);
      progress.tell(event);
      undo.tell(event);
    });
  } catch (error) {
    throw undo.told(error);
  } finally {
    progress.clear();
  }
  const { container, target, command, again, needs, reservation, store } = live;
  const ref = { name: container, mountsId: reservation };
  const session = tmuxSession(container);
  const tmux = (options.tmux ?? true) && meant.resolved.settings['shell.use_tmux'];
  announce(app, options, meant, live, tmux);
  const environment = { ...live.environment, ...agentVariables(forwarding) };
  const outer = tmux && !options.background ? outerPrefix(app) : undefined;
  hintOfNesting(app, outer, meant.resolved.settings['shell.tmux_prefix']);
  const look = startedLook(meant.resolved.settings, { ...live, outerPrefix: outer });
  const opening = {
    ...{ container, session, workspace: target, environment, command, again, needs, tmux, look },
  };
  if (options.background) {
    await orTakenBack(app, meant, live, orUndone(app, live, openInBackground(app, opening)));
    warned(app, await forwardTo(app, ref, forwarding, meant));
    if (options.json) app.io.printJson(startedJson(meant, live, session));
    else tellBackground(app, container);
    return live;
  }
  let agent: Promise<string | undefined> | undefined;
  using telling = new DisposableStack();
  const opened = () => {
    agent = forwardTo(app, ref, forwarding, meant);
    const { settings } = meant.resolved;
    // Whoever attacks the protection is paused, watched or not.
    if (settings['monitoring.enabled'] || !settings['security.disable_protection'])
      telling.use(tellAlerts(app, container));
  };
  const terminal = terminalRules(meant.resolved.settings);
  progress.tell({ kind: 'started', name: 'open', title: 'Opening the terminal' });
  const shown = openOnTerminal(app, opening, { timing, progress, opened, terminal });
  const attached = orUndone(app, live, shown.finally(progress.clear));
  const end = await orTakenBack(app, meant, live, attached);
  telling.dispose();
  const workspace = store && live.workspace;
  const alias = meant.resolved.settings['container.alias'] || undefined;
  await leave(app, { container, reservation, store, workspace, alias }, end);
  if (end.kind === 'exited' && end.status === 0) warned(app, await agent);
  return live;
}

/** A container that was just started has no agent yet, so there is nothing to take away. */
async function forwardTo(
  app: App,
  ref: ContainerRef,
  wish: AgentWish,
  { choice }: Meant,
): Promise<string | undefined> {
  return wish.kind === 'forward' || choice.kind === 'join'
    ? followAgent(app, ref, wish)
    : undefined;
}

function warned(app: App, problem: string | undefined): void {
  if (problem) app.io.warn(problem);
}

function startedJson(
  { choice, persistent }: Meant,
  { container, slot, session, workspace }: Live,
  tmux: string,
): Record<string, unknown> {
  return {
    container,
    ...(slot === undefined ? {} : { slot }),
    ...(session === undefined ? {} : { session_id: session }),
    tmux_session: tmux,
    workspace,
    persistent,
    resumed: choice.kind === 'resume' || (choice.kind === 'restart' && choice.saved !== undefined),
  };
}
