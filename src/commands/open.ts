// Opens the tool inside a container: on the user's terminal, or in the background.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { lastWords } from '../host/last-words.ts';
import { guestScript } from '../host/resources.ts';
import { type BridgeEnd, bridgeTerminal, terminalSize } from '../host/terminal.ts';
import { type TerminalRules, terminalFilter } from '../host/terminal-filter.ts';
import type { ContainerName } from '../names.ts';
import { type Again, agentWords } from '../session/agent-words.ts';
import {
  colours,
  guestHome,
  guestTerm,
  handOverIf,
  plainEnvironment,
} from '../session/environment.ts';
import { handOverTo, opened, terminalStarter } from '../session/handover.ts';
import type { Progress } from '../ui/progress.ts';
import type { Timing } from '../ui/timing.ts';

export interface Opening {
  readonly container: ContainerName;
  /** Name of the tmux session. */
  readonly session: string;
  /** The workspace in the container. */
  readonly workspace: string;
  /** May hold secrets: handed over on stdin. */
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly again: Again | undefined;
  /** Commands of tmux for how it shows itself (tmux-look.ts). */
  readonly look: string;
  /** Program that has to be there. */
  readonly needs?: string | undefined;
  /** False: the tool runs directly on the terminal. */
  readonly tmux: boolean;
}

/** Runs the tool in tmux on the terminal and returns how the terminal's part ended. */
export function openOnTerminal(app: App, opening: Opening, watch: Watch): Promise<BridgeEnd> {
  return opened(() => terminalOf(app, opening, watch), app.signal);
}

interface Watch {
  readonly timing: Timing;
  readonly progress: Progress;
  /** Called when the terminal is the tool's. */
  readonly opened: () => void;
  /** What the session may do to the terminal. */
  readonly terminal: TerminalRules;
}

async function terminalOf(app: App, opening: Opening, watch: Watch): Promise<BridgeEnd> {
  const incus = await app.incus();
  const exec = await incus.execTerminal(
    opening.container,
    {
      ...starter(app, opening, opening.tmux ? 'attach' : 'direct'),
      ...terminalSize(app.io.stdout),
    },
    { signal: app.signal },
  );
  watch.timing.mark('terminal');
  try {
    // An interrupt before the tool has begun is thrown; from then on it only ends this terminal.
    await handOverTo(terminalStarter(exec), handedTo(opening), app.signal);
    watch.timing.mark('handed over');
    watch.progress.clear();
    watch.opened();
    const { stdin, stdout } = app.io;
    const last = lastWords(terminalFilter(watch.terminal));
    const local = { stdin, stdout, filter: last.filter };
    return last.told(await bridgeTerminal(local, exec, app.signal));
  } finally {
    exec.close();
  }
}

/** Starts the tool in a detached tmux session and says at length how to reach it. */
export async function openInBackground(app: App, opening: Opening): Promise<void> {
  await opened(() => backgroundOf(app, opening), app.signal);
  const { container, session } = opening;
  app.io.detail(`Created background tmux session: ${session}`);
  app.io.detail(
    `Use 'coi tmux capture ${container}' to view output\nUse 'coi tmux send ${container} "<command>"' to send commands\nUse 'coi attach ${container}' to attach`,
  );
}

/** The same in a line, where that was not told. */
export function tellBackground({ io }: App, container: string): void {
  if (io.brief)
    io.tell(
      `Started in the background. Attach: coi attach ${container}; its screen: coi tmux capture ${container}`,
    );
}

async function backgroundOf(app: App, opening: Opening): Promise<void> {
  const incus = await app.incus();
  const exec = await incus.execPiped(opening.container, starter(app, opening, 'background'), {
    signal: app.signal,
  });
  const said: Buffer[] = [];
  exec.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  try {
    await handOverTo(
      { input: exec.stdin, output: exec.stdout, status: exec.status },
      handedTo(opening),
      app.signal,
    );
    exec.stdout.resume();
    const status = await exec.status;
    if (status !== 0) {
      throw new CoiError(
        'session-failed',
        `the tool could not be started in the background (status ${status}): ${Buffer.concat(said).toString('utf8').trim()}`,
        {
          hint: `The container runs: \`coi attach ${opening.container} --bash\` to look, \`coi kill ${opening.container}\` to end it.`,
        },
      );
    }
  } finally {
    exec.close();
  }
}

function handedTo({ needs, environment, command, again, tmux }: Opening) {
  return handOverIf(needs, environment, tmux ? agentWords(again, command) : command);
}

function starter(
  app: App,
  { session, workspace, look }: Opening,
  mode: 'attach' | 'background' | 'direct',
) {
  const shown = mode === 'direct' ? [] : [look, guestScript('agent.sh')];
  return {
    command: ['sh', '-c', guestScript('start.sh'), 'coi-start', session, workspace, mode, ...shown],
    environment: {
      ...plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
      ...colours(mode === 'direct' ? app.env['COLORTERM'] : 'truecolor'),
    },
    cwd: '/',
    user: 1000,
    group: 1000,
  };
}
