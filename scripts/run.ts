// Runs a program for a script and measures its duration; ends it and its children when the script is interrupted.
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Stripping types and compiling a test's modules costs half a second per test file. */
const compiled = join(root, 'node_modules/.cache/compiled');

export interface RunResult {
  readonly status: number;
  /** Both streams in the order of arrival; empty if they went directly to ours. */
  readonly output: string;
  readonly elapsedMs: number;
}

/** Runs argv in the repository. Its output is captured, goes directly to ours (`show`), or both (`copy`). */
export function run(
  argv: readonly string[],
  options: {
    show?: boolean | 'copy';
    env?: Record<string, string | undefined>;
    timeoutMs?: number;
    /** In its own process group, so that its children can be ended too. It has no terminal then. */
    group?: boolean;
  } = {},
): Promise<RunResult> {
  const [program = '', ...rest] = argv;
  const started = performance.now();
  const child = spawn(program, rest, {
    cwd: root,
    env: { ...process.env, NODE_COMPILE_CACHE: compiled, ...options.env },
    stdio: options.show === true ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs ?? 30 * 60_000,
    detached: options.group ?? false,
  });
  const one = { child, group: options.group ?? false };
  running.add(one);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (options.show === 'copy') process.stderr.write(text);
    });
  }
  return new Promise((settle) => {
    const end = async (status: number) => {
      if (one.group && interrupted !== undefined) await waitForGroup(child);
      running.delete(one);
      settle({ status, output, elapsedMs: performance.now() - started });
    };
    child.once('error', (error) => {
      output += `${error.message}\n`;
      void end(127);
    });
    child.once('close', (code) => void end(code ?? 1));
  });
}

export function seconds(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(1)} s`;
}

/** Running children of this process. */
const running = new Set<{ readonly child: ChildProcess; readonly group: boolean }>();
let interrupted: NodeJS.Signals | undefined;

/** Time for a suite to remove its containers and services. */
const cleanupMs = 90_000;
const pollMs = 100;
/** A terminal sends Ctrl-C to its whole group, and `with-node.mjs` forwards it: that counts as one signal. */
const onceMs = 1_000;

/** From now on a signal ends the running programs, then this process; a second signal ends all at once. */
export function endWhatRuns(): { readonly signal: () => NodeJS.Signals | undefined } {
  let firstMs = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (interrupted === undefined) {
        interrupted = name;
        firstMs = performance.now();
        process.stderr.write('\nInterrupted: cleaning up (interrupt again to stop at once).\n');
        for (const one of running) sendSignal(one, 'SIGTERM');
        if (running.size === 0) process.exit(interruptedStatus(name));
      } else if (performance.now() - firstMs > onceMs) {
        for (const one of running) sendSignal(one, 'SIGKILL');
        process.exit(interruptedStatus(name));
      }
    });
  }
  return { signal: () => interrupted };
}

export function interruptedStatus(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function sendSignal(
  { child, group }: { child: ChildProcess; group: boolean },
  name: NodeJS.Signals,
) {
  if (child.pid === undefined) return;
  try {
    process.kill(group ? -child.pid : child.pid, name);
  } catch {
    // It ended meanwhile.
  }
}

/** The test files of a suite are separate processes, which still clean up after their parent has ended. */
async function waitForGroup(child: ChildProcess): Promise<void> {
  const endMs = performance.now() + cleanupMs;
  while (groupExists(child.pid ?? 0)) {
    if (performance.now() > endMs) return sendSignal({ child, group: true }, 'SIGKILL');
    await delay(pollMs);
  }
}

function groupExists(group: number): boolean {
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}
