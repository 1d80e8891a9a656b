// coi shell: an agent on the user's terminal, in a machine of its own.
import type { Command } from 'commander';
import {
  openAttached,
  openDetached,
  type StartedSession,
  startSelected,
} from '../../../app/open-session/open-session.ts';
import { selectSession } from '../../../app/open-session/select-session.ts';
import { terminalRules } from '../../../app/session-spec/session-wish.ts';
import { tellAlerts } from '../../../app/terminal/alerts.ts';
import { hintOfNesting, outerPrefix } from '../../../app/terminal/tmux-appearance.ts';
import { CoiError } from '../../../errors.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { App } from '../../app.ts';
import { flagsOf } from '../../global-options.ts';
import { showAlert } from '../../output/alert.ts';
import { tellBackground } from '../../output/background.ts';
import { tellWarnings } from '../../output/config-warnings.ts';
import { leave } from '../../output/session-end.ts';
import { announce, startedJson } from '../../output/session-start.ts';
import { openSessionRequest, type ShellOptions } from '../../requests.ts';
import { needTerminal } from '../../require-terminal.ts';

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
    .action((alias: string | undefined) => shell(app, flagsOf<ShellOptions>(command), alias));
}

/** Returns when the terminal has ended, or at once for the background. */
async function shell(app: App, options: ShellOptions, alias: string | undefined): Promise<void> {
  app.mark('parsed');
  try {
    if (options.json && !options.background)
      throw new CoiError('usage', '--json needs --background', { hint: 'Add --background.' });
    const mode = options.background ? 'background' : 'terminal';
    const request = openSessionRequest(app, options, mode, alias);
    const selected = await selectSession(app, request);
    tellWarnings(app, selected.resolved);
    app.mark('decided');
    // What is wrong with the line is said first: scripts that look for it have no terminal.
    if (mode === 'terminal') needTerminal(app, 'coi shell');
    const started = await startSelected(app, request, selected, { tmux: options.tmux });
    announce(app, request, started);
    if (mode === 'terminal') return await onTerminal(app, started);
    const tmuxName = await openDetached(app, started);
    if (options.json) app.io.printJson(startedJson(started, tmuxName));
    else tellBackground(app, started.live.container);
  } catch (error) {
    throw incusFailure(error, 'opening the session failed');
  }
}

async function onTerminal(app: App, started: StartedSession): Promise<void> {
  const { live, tmux } = started;
  const { settings } = started.selected.resolved;
  const { container, reservation, store } = live;
  const outer = tmux ? outerPrefix(app) : undefined;
  hintOfNesting(app, outer, settings['shell.tmux_prefix']);
  using alerts = new DisposableStack();
  const progress = app.progress();
  progress.tell({ kind: 'started', name: 'open', title: 'Opening the terminal' });
  const { end, problem } = await openAttached(app, started, {
    stdin: app.io.stdin,
    stdout: app.io.stdout,
    rules: terminalRules(settings),
    outerPrefix: outer,
    shown: () => {
      progress.clear();
      // Whoever attacks the protection is paused, watched or not.
      if (settings['monitoring.enabled'] || !settings['security.disable_protection'])
        alerts.use(tellAlerts(app, container, showAlert(app)));
    },
  }).finally(progress.clear);
  alerts.dispose();
  const workspace = store && live.workspace;
  const alias = settings['container.alias'] || undefined;
  await leave(app, { container, reservation, store, workspace, alias }, end);
  if (problem) app.io.warn(problem);
}
