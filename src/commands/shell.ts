// coi shell: an agent on the user's terminal, in a machine of its own.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { parseAlias, tmuxSession } from '../names.ts';
import { incusFailure } from '../session/failure.ts';
import { type LaunchContext, launchSteps, reserved } from '../session/launch.ts';
import { runSteps } from '../session/steps.ts';
import { type Progress, stepProgress } from '../ui/progress.ts';
import { stepTiming, type Timing } from '../ui/timing.ts';
import { reserveOrStart } from './coid.ts';
import type { GlobalOptions } from './command.ts';
import { leave } from './leave.ts';
import { openInBackground, openOnTerminal } from './open.ts';
import {
  agentEnvironment,
  config,
  extraMounts,
  newSessionId,
  place,
  serverFacts,
  wantedSlot,
  wish,
} from './prepare.ts';
import { needTerminal } from './terminal.ts';
import { type AgentSetting, agentSetting } from './tool.ts';

export interface ShellOptions extends GlobalOptions {
  background?: boolean;
  tmux?: boolean;
  container?: string;
  tool?: string;
}

export function register(command: Command, app: App): void {
  command
    .argument('[alias]', 'alias of a workspace, from any directory')
    .option('--background', 'start without a terminal and return')
    .option('--no-tmux', 'run the tool directly on the terminal, without tmux')
    .option('--container <name>', 'use this existing container')
    .option('--tool <name>', 'claude, opencode, codex, pi, gemini, aider or one of your own')
    .addHelpText(
      'after',
      '\nCtrl-b d detaches, `sudo poweroff` inside ends the session, `coi attach` comes back.',
    )
    .action((alias: string | undefined) =>
      shell(app, command.optsWithGlobals<ShellOptions>(), alias),
    );
}

async function shell(app: App, options: ShellOptions, alias: string | undefined): Promise<void> {
  if (!options.background) needTerminal(app, 'coi shell');
  if (alias !== undefined) parseAlias(alias);
  const timing = stepTiming(app.env, app.io.stderr, app.clock.elapsedMs);
  timing.mark('parsed');
  try {
    await launchAndOpen(app, options, timing);
  } catch (error) {
    throw incusFailure(error, 'opening the session failed');
  } finally {
    timing.report();
  }
}

async function launchAndOpen(app: App, options: ShellOptions, timing: Timing): Promise<void> {
  const { context, agent, environment } = await prepared(app, options);
  timing.mark('decided');
  app.io.tell(`Setting up session ${context.wish.session}...`);
  const progress = stepProgress(app.io);
  await launch(app, context, progress, timing);
  announce(app, options, context);
  const { container, id, slot } = reserved(context);
  const opening = {
    container,
    session: tmuxSession(container),
    workspace: context.wish.target,
    environment,
    command: agent.command,
    tmux: options.tmux ?? true,
  };
  if (options.background) return openInBackground(app, opening);
  const end = await openOnTerminal(app, opening, { timing, progress });
  const leaving = { container, reservation: id, storeDir: agent.storeDir, slot: Number(slot) };
  await leave(app, leaving, end);
}

interface Prepared {
  readonly context: LaunchContext;
  readonly agent: AgentSetting;
  readonly environment: Readonly<Record<string, string>>;
}

/** Everything that is decided and asked before anything is made. */
async function prepared(app: App, options: ShellOptions): Promise<Prepared> {
  const at = place(app, options.workspace, false);
  const resolved = await config(app, options, at.workspace);
  for (const warning of resolved.warnings) app.io.warn(warning);
  const { settings } = resolved;
  const [server, incus, coid] = await Promise.all([
    serverFacts(app, settings['container.image'], settings['container.storage_pool'] || undefined),
    app.incus(),
    reserveOrStart(app),
  ]);
  const session = newSessionId();
  const given = agentEnvironment(app, options, resolved);
  const agent = agentSetting(app, resolved, {
    isNew: true,
    session,
    conversationId: session,
    conversation: { kind: 'new' },
    at,
    debug: options.debug ?? false,
    persistent: settings['container.persistent'] ?? false,
    variables: Object.keys(given),
    mounts: extraMounts(app, options, resolved, [at.target]),
  });
  const wanted = wish(app, resolved, at, {
    session,
    tool: agent.tool.name,
    slot: wantedSlot(options),
    mounts: extraMounts(app, options, resolved, [at.target, ...agent.targets]),
    disposable: false,
  });
  const { prepareStore, discardStore, recordSession } = agent;
  const store = { prepareStore, discardStore, recordSession };
  const context = {
    wish: wanted,
    server,
    incus,
    coid,
    ...store,
    plan: undefined,
    reservation: undefined,
  };
  return { context, agent, environment: { ...agent.environment, ...given } };
}

async function launch(
  app: App,
  context: LaunchContext,
  progress: Progress,
  timing: Timing,
): Promise<void> {
  const tell: Progress['tell'] = (event) => {
    timing.tell(event);
    progress.tell(event);
  };
  const watch = { tell, elapsedMs: app.clock.elapsedMs, signal: app.signal };
  try {
    await runSteps(launchSteps, context, watch);
  } finally {
    progress.clear();
  }
}

function announce(app: App, options: ShellOptions, context: LaunchContext): void {
  const { io } = app;
  const { wish: wanted } = context;
  const { container, slot } = reserved(context);
  if (wanted.slot === undefined) io.tell(`Auto-allocated slot ${slot}`);
  else if (Number(wanted.slot) !== Number(slot))
    io.tell(`Slot ${wanted.slot} is occupied, using slot ${slot} instead`);
  io.tell(`[setup] Container name: ${container}`);
  io.tell('[setup] Network guard and path protection are not part of this version yet');
  io.tell('[setup] Container setup complete!\n\nStarting session...');
  io.tell(`Session ID: ${wanted.session}\nContainer: ${container}`);
  io.tell(`Workspace: ${wanted.workspace}`);
  io.tell(`Mode: ${options.background ? 'Background' : 'Interactive'} (tmux)\n`);
}
