// `coi shell`: runs an agent on the user's terminal, in its own container.
import type { Command } from 'commander';
import {
  openAttached,
  openDetached,
  type StartedSession,
  startSelected,
} from '../../../app/open-session/open-session.ts';
import { selectSession } from '../../../app/open-session/select-session.ts';
import { terminalRules } from '../../../app/session-spec/make-session-spec.ts';
import { showAlerts } from '../../../app/terminal/alerts.ts';
import { outerPrefix, reportNesting } from '../../../app/terminal/tmux-appearance.ts';
import { watchTerminalLater } from '../../../app/terminal/watch-terminal-later.ts';
import { CoiError } from '../../../errors.ts';
import { TerminalTap } from '../../../host/terminal/terminal-tap.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { App } from '../../app.ts';
import { mergedOptions } from '../../global-options.ts';
import { showAlert } from '../../output/alert.ts';
import { reportBackground } from '../../output/background.ts';
import { reportWarnings } from '../../output/config-warnings.ts';
import { finishShell } from '../../output/session-end.ts';
import { announceStart, startedJson } from '../../output/session-start.ts';
import { openSessionRequest, type ShellOptions } from '../../requests.ts';
import { requireTerminal } from '../../require-terminal.ts';
import { addTreeOptions } from './tree-options.ts';

export function register(command: Command, app: App): void {
  addTreeOptions(command)
    .argument('[alias]', 'alias of a workspace (works from any directory)')
    .option('--background', 'start in the background and return')
    .option('--json', 'print the session as JSON (with --background)')
    .option('--no-tmux', 'run the agent directly on the terminal, without tmux')
    .option('--container <name>', 'use an existing container')
    .option('--tool <name>', 'agent: claude, opencode, codex, pi, gemini, aider or a custom one')
    .addHelpText(
      'after',
      '\nCtrl-b d detaches, `coi attach` attaches again, `sudo poweroff` in the container ends the session.\nCtrl-C before the agent has opened undoes the start.',
    )
    .action((alias: string | undefined) => shell(app, mergedOptions<ShellOptions>(command), alias));
}

/** Returns when the terminal closes, or immediately in the background. */
async function shell(app: App, options: ShellOptions, alias: string | undefined): Promise<void> {
  app.mark('parsed');
  try {
    if (options.json && !options.background)
      throw new CoiError('usage', '--json needs --background', { hint: 'Add --background.' });
    const mode = options.background ? 'background' : 'terminal';
    const request = openSessionRequest(app, options, mode, alias);
    const selected = await selectSession(app, request);
    reportWarnings(app, selected.resolved);
    app.mark('decided');
    // Usage errors come first: scripts that match them have no terminal.
    if (mode === 'terminal') requireTerminal(app, 'coi shell');
    const started = await startSelected(app, request, selected, { tmux: options.tmux });
    announceStart(app, request, started);
    if (mode === 'terminal') return await onTerminal(app, started);
    const tmuxName = await openDetached(app, started);
    if (options.json) app.io.printJson(startedJson(started, tmuxName));
    else reportBackground(app, started.live.container);
  } catch (error) {
    throw incusFailure(error, 'opening the session failed');
  }
}

async function onTerminal(app: App, started: StartedSession): Promise<void> {
  const { live, tmux } = started;
  const { settings } = started.selected.resolved;
  const { container, reservation, store } = live;
  const outer = tmux ? outerPrefix(app) : undefined;
  reportNesting(app, outer, settings['shell.tmux_prefix']);
  using alerts = new DisposableStack();
  const tap = new TerminalTap((text) => void app.io.stdout.write(text));
  const progress = app.progress();
  progress.update({ kind: 'started', name: 'open', title: 'Opening the terminal' });
  const { end, problem } = await openAttached(app, started, {
    stdin: app.io.stdin,
    stdout: app.io.stdout,
    rules: terminalRules(settings),
    outerPrefix: outer,
    tap,
    onShown: () => {
      progress.clear();
      alerts.use(watchTerminalLater(app, { container, session: store?.session }, tap));
      // Attacks on protected paths pause the session even if it is not monitored.
      if (settings['monitoring.enabled'] || !settings['security.disable_protection'])
        alerts.use(showAlerts(app, container, showAlert(app)));
    },
  }).finally(progress.clear);
  alerts.dispose();
  const workspace = store && live.workspace;
  const alias = settings['container.alias'] || undefined;
  await finishShell(app, { container, reservation, store, workspace, alias }, end);
  if (problem) app.io.warn(problem);
}
