// Prints the logs of the coids and private hosts that a failed test used, since they are removed with the bed and a rare
// failure cannot be explained without them. Printed before the next test starts; scripts/recap.ts repeats the end.
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach } from 'node:test';
import { logMark } from '../../scripts/recap.ts';

const linesMax = 300;

interface Log {
  readonly path: string;
  /** Of a coid whose threads are shown too, while it runs. */
  readonly runDir: string | undefined;
  /** Read before the log is removed. */
  lines?: readonly string[];
}

const logs = new Map<string, Log>();
let failed: string[] = [];

/** Called when a daemon starts: its log belongs to the running test. */
export function trackLog(name: string, runDir: string | undefined, path: string): void {
  logs.set(name, { runDir, path });
}

/** Called before the log is removed. */
export function saveLog(name: string): void {
  const log = logs.get(name);
  if (log) log.lines = linesOf(log.path);
}

/** Other lines that explain a failure of the running test. */
export function saveLines(name: string, lines: readonly string[]): void {
  logs.set(name, { runDir: undefined, path: '', lines });
}

afterEach((context) => {
  if (!('passed' in context)) return;
  if (!context.passed) failed.push(context.fullName);
  // A coid of an enclosing test is still in use; an abandoned test leaves its own as well.
  const { fullName } = context;
  const own = failed.some((name) => name === fullName || name.startsWith(`${fullName} > `));
  for (const [name, { path, lines, runDir }] of own ? logs : [])
    print(name, lines ?? [...linesOf(path), ...(runDir ? threadsOf(runDir) : [])], fullName);
  if (fullName.includes(' > ')) return;
  logs.clear();
  failed = [];
});

function print(name: string, lines: readonly string[], test: string): void {
  for (const line of [`${name}, of: ${test}`, ...lines])
    process.stderr.write(`${logMark}${line}\n`);
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-linesMax);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return [];
  }
}

/** Kernel stacks of a live coid's threads: a thread blocked in the kernel logs nothing. */
function threadsOf(runDir: string): string[] {
  const isOwn = (pid: string) =>
    readOrEmpty(`/proc/${pid}/environ`).includes(`COI_RUN_DIR=${runDir}\0`);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOwn(name));
  return pids.flatMap((pid) => [
    `process ${pid}: ${readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`,
    ...namesIn(`/proc/${pid}/task`).map((thread) => {
      const at = `/proc/${pid}/task/${thread}`;
      const state = /^State:\s*(.*)$/m.exec(readOrEmpty(`${at}/status`))?.[1];
      const stack = readOrEmpty(`${at}/stack`).trim().split('\n').slice(0, 6).join(' ');
      return `  thread ${thread} ${state}: ${stack}`;
    }),
  ]);
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    // It ended meanwhile.
    return [];
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended meanwhile or cannot be read.
    return '';
  }
}
