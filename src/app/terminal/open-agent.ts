// Starts the agent in a container, on the user's terminal or in the background.
import { CoiError } from '../../errors.ts';
import { asAgent } from '../../guest-user.ts';
import { guestScript } from '../../host/install/resources.ts';
import { detachDetector } from '../../host/process/detach-detector.ts';
import {
  type BridgeEnd,
  bridgeTerminal,
  terminalSize,
} from '../../host/terminal/terminal-bridge.ts';
import { type TerminalRules, terminalFilter } from '../../host/terminal/terminal-filter.ts';
import type { TerminalTap } from '../../host/terminal/terminal-tap.ts';
import type { ContainerName } from '../../names.ts';
import {
  handOver,
  retryWhileNotRun,
  terminalStarter,
} from '../../session/lifecycle/secret-handover.ts';
import { type AgentRestart, agentScriptArguments } from '../../session/plan/agent-command.ts';
import {
  colorVariables,
  guestHome,
  guestTerm,
  handoverTextIf,
  plainEnvironment,
} from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';

export interface OpenRequest {
  readonly container: ContainerName;
  /** Name of the tmux session. */
  readonly session: string;
  /** The workspace in the container. */
  readonly workspace: string;
  /** May hold secrets: handed over on stdin. */
  readonly environment: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly again: AgentRestart | undefined;
  /** tmux commands for its appearance (tmux-appearance.ts). */
  readonly appearance: string;
  /** Program that must exist. */
  readonly needs?: string | undefined;
  /** False: the agent runs directly on the terminal. */
  readonly tmux: boolean;
}

/** Runs the agent on the terminal and returns how the terminal ended. `onShown`: called when the agent has the terminal. */
export function openOnTerminal(
  app: AppContext,
  terminal: Terminal,
  request: OpenRequest,
  onShown: () => void,
): Promise<BridgeEnd> {
  return retryWhileNotRun(() => runOnTerminal(app, terminal, request, onShown), app.signal);
}

/** The user's terminal. */
export interface Terminal {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** What the session may do to the terminal. */
  readonly rules: TerminalRules;
  readonly tap?: TerminalTap | undefined;
}

async function runOnTerminal(
  app: AppContext,
  { stdin, stdout, rules, tap }: Terminal,
  request: OpenRequest,
  onShown: () => void,
): Promise<BridgeEnd> {
  const incus = await app.incus();
  const exec = await incus.execTerminal(
    request.container,
    {
      ...execRequest(app, request, request.tmux ? 'attach' : 'direct'),
      ...terminalSize(stdout),
    },
    { signal: app.signal },
  );
  app.mark('terminal');
  try {
    // An interrupt is thrown until the agent has started; after that it only ends this terminal.
    await handOver(terminalStarter(exec), makeHandover(request), app.signal);
    app.mark('handed over');
    onShown();
    const last = detachDetector(terminalFilter(rules));
    const local = { stdin, stdout, tap, filter: last.filter };
    return last.withDetached(await bridgeTerminal(local, exec, app.signal));
  } finally {
    exec.close();
  }
}

/** Starts the agent in a detached tmux session and reports how to reach it. */
export async function openInBackground(app: AppContext, request: OpenRequest): Promise<void> {
  await retryWhileNotRun(() => startInBackground(app, request), app.signal);
  const { container, session } = request;
  app.report.detail(`Created background tmux session: ${session}`);
  app.report.detail(
    `Use 'coi tmux capture ${container}' to view output\nUse 'coi tmux send ${container} "<command>"' to send commands\nUse 'coi attach ${container}' to attach`,
  );
}

async function startInBackground(app: AppContext, request: OpenRequest): Promise<void> {
  const incus = await app.incus();
  const exec = await incus.execPiped(request.container, execRequest(app, request, 'background'), {
    signal: app.signal,
  });
  const stderr: Buffer[] = [];
  exec.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  try {
    await handOver(
      { input: exec.stdin, output: exec.stdout, status: exec.status },
      makeHandover(request),
      app.signal,
    );
    exec.stdout.resume();
    const status = await exec.status;
    if (status !== 0) {
      throw new CoiError(
        'session-failed',
        `the agent could not be started in the background (status ${status}): ${Buffer.concat(stderr).toString('utf8').trim()}`,
        {
          hint: `The container is running: \`coi attach ${request.container} --bash\` to inspect it, \`coi kill ${request.container}\` to end it.`,
        },
      );
    }
  } finally {
    exec.close();
  }
}

function makeHandover({ needs, environment, command, again, tmux }: OpenRequest) {
  return handoverTextIf(needs, environment, tmux ? agentScriptArguments(again, command) : command);
}

function execRequest(
  app: AppContext,
  { session, workspace, appearance }: OpenRequest,
  mode: 'attach' | 'background' | 'direct',
) {
  const scripts = mode === 'direct' ? [] : [appearance, guestScript('agent.sh')];
  return {
    command: [
      'sh',
      '-c',
      guestScript('start.sh'),
      'coi-start',
      session,
      workspace,
      mode,
      ...scripts,
    ],
    environment: {
      ...plainEnvironment(guestHome, 'code', guestTerm(app.env['TERM'])),
      ...colorVariables(mode === 'direct' ? app.env['COLORTERM'] : 'truecolor'),
    },
    cwd: '/',
    ...asAgent,
  };
}
