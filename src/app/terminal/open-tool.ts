// Opens the tool inside a container: on the user's terminal, or in the background.
import { CoiError } from '../../errors.ts';
import { asAgent } from '../../guest-user.ts';
import { guestScript } from '../../host/install/resources.ts';
import { lastWords } from '../../host/process/last-words.ts';
import {
  type BridgeEnd,
  bridgeTerminal,
  terminalSize,
} from '../../host/terminal/terminal-bridge.ts';
import { type TerminalRules, terminalFilter } from '../../host/terminal/terminal-filter.ts';
import type { ContainerName } from '../../names.ts';
import { handOverTo, opened, terminalStarter } from '../../session/lifecycle/secret-handover.ts';
import { type Again, agentWords } from '../../session/plan/agent-command.ts';
import {
  colours,
  guestHome,
  guestTerm,
  handOverIf,
  plainEnvironment,
} from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';

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
  /** Commands of tmux for how it shows itself (tmux-appearance.ts). */
  readonly look: string;
  /** Program that has to be there. */
  readonly needs?: string | undefined;
  /** False: the tool runs directly on the terminal. */
  readonly tmux: boolean;
}

/** Runs the tool in tmux on the terminal and returns how the terminal's part ended. `shown`: the terminal is the tool's. */
export function openOnTerminal(
  app: AppContext,
  terminal: Terminal,
  opening: Opening,
  shown: () => void,
): Promise<BridgeEnd> {
  return opened(() => terminalOf(app, terminal, opening, shown), app.signal);
}

/** The user's. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** What the session may do to it. */
  readonly rules: TerminalRules;
}

async function terminalOf(
  app: AppContext,
  { stdin, stdout, rules }: Terminal,
  opening: Opening,
  shown: () => void,
): Promise<BridgeEnd> {
  const incus = await app.incus();
  const exec = await incus.execTerminal(
    opening.container,
    {
      ...starter(app, opening, opening.tmux ? 'attach' : 'direct'),
      ...terminalSize(stdout),
    },
    { signal: app.signal },
  );
  app.mark('terminal');
  try {
    // An interrupt before the tool has begun is thrown; from then on it only ends this terminal.
    await handOverTo(terminalStarter(exec), handedTo(opening), app.signal);
    app.mark('handed over');
    shown();
    const last = lastWords(terminalFilter(rules));
    const local = { stdin, stdout, filter: last.filter };
    return last.told(await bridgeTerminal(local, exec, app.signal));
  } finally {
    exec.close();
  }
}

/** Starts the tool in a detached tmux session and says at length how to reach it. */
export async function openInBackground(app: AppContext, opening: Opening): Promise<void> {
  await opened(() => backgroundOf(app, opening), app.signal);
  const { container, session } = opening;
  app.report.detail(`Created background tmux session: ${session}`);
  app.report.detail(
    `Use 'coi tmux capture ${container}' to view output\nUse 'coi tmux send ${container} "<command>"' to send commands\nUse 'coi attach ${container}' to attach`,
  );
}

async function backgroundOf(app: AppContext, opening: Opening): Promise<void> {
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
  app: AppContext,
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
    ...asAgent,
  };
}
