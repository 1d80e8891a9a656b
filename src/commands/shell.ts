// coi shell: an agent on the user's terminal, in a machine of its own.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { parseAlias, tmuxSession } from '../names.ts';
import { incusFailure } from '../session/failure.ts';
import { type LaunchContext, launchSteps, reserved } from '../session/launch.ts';
import { sessionPlan } from '../session/plan.ts';
import { runSteps } from '../session/steps.ts';
import { type Progress, stepProgress } from '../ui/progress.ts';
import { stepTiming, type Timing } from '../ui/timing.ts';
import { reserveOrStart } from './coid.ts';
import type { GlobalOptions } from './command.ts';
import { leave } from './leave.ts';
import { openInBackground, openOnTerminal } from './open.ts';
import { agentEnvironment, config, newSessionId, place, serverFacts, wish } from './prepare.ts';
import { needTerminal } from './terminal.ts';
import { prepareTool, type ToolSetting } from './tool.ts';

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
    .option(
      '--tool <name>',
      'the agent: claude, opencode, codex, pi, gemini, aider or one of your own',
    )
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
  const { io } = app;
  const at = place(app, options.workspace, false);
  const resolved = await config(app, options, at.workspace);
  for (const warning of resolved.warnings) io.warn(warning);
  const facts = serverFacts(
    app,
    resolved.settings['container.image'],
    resolved.settings['container.storage_pool'] || undefined,
  );
  facts.catch(() => {});
  const session = newSessionId();
  const tool = prepareTool(app, resolved, { session, at, debug: options.debug ?? false });
  const wanted = wish(app, options, resolved, at, {
    session,
    tool: tool.name,
    storeMounts: tool.mounts,
    disposable: false,
  });
  const environment = { ...tool.environment, ...agentEnvironment(app, options, resolved) };
  timing.mark('decided');
  const [incus, coid, server] = await Promise.all([app.incus(), reserveOrStart(app), facts]);
  const plan = sessionPlan(wanted, server);
  timing.mark('facts');
  io.tell(`Setting up session ${session}...`);
  const context: LaunchContext = {
    plan,
    incus,
    coid,
    prepareStore: tool.prepareStore,
    discardStore: tool.discardStore,
    reservation: undefined,
  };
  const progress = stepProgress(io);
  await launch(app, context, progress, timing);
  const { container, slot } = reserved(context);
  announce(app, options, context, tool);
  const opening = {
    container,
    session: tmuxSession(container),
    workspace: at.target,
    environment,
    command: tool.command,
  };
  if (options.background) return openInBackground(app, opening);
  const end = await openOnTerminal(app, opening, { timing, progress });
  await leave(
    app,
    { container, reservation: reserved(context).id, storeDir: tool.storeDir, slot: Number(slot) },
    end,
  );
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
  try {
    await runSteps(launchSteps, context, {
      tell,
      elapsedMs: app.clock.elapsedMs,
      signal: app.signal,
    });
  } finally {
    progress.clear();
  }
}

function announce(
  app: App,
  options: ShellOptions,
  context: LaunchContext,
  tool: ToolSetting,
): void {
  const { io } = app;
  const { wish: wanted } = context.plan;
  const { container, slot } = reserved(context);
  if (wanted.slot === undefined) io.tell(`Auto-allocated slot ${slot}`);
  else if (Number(wanted.slot) !== Number(slot))
    io.tell(`Slot ${wanted.slot} is occupied, using slot ${slot} instead`);
  io.tell(`[setup] Container name: ${container}`);
  io.tell('[setup] Network guard and path protection are not part of this version yet');
  io.tell('[setup] Container setup complete!\n\nStarting session...');
  io.tell(`Session ID: ${wanted.session}\nContainer: ${container}\nWorkspace: ${wanted.workspace}`);
  io.tell(
    `Mode: ${options.background ? 'Background' : 'Interactive'} (tmux)${tool.name === 'none' ? ', bash' : ''}\n`,
  );
}
