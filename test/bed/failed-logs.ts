// The logs of the coids that a failed test used. They are removed with the bed, and a failure that comes once in a hundred
// runs is understood from them or not at all. Printed before the next test begins; scripts/recap.ts repeats the end.
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach } from 'node:test';
import { logMark } from '../../scripts/recap.ts';

const linesMax = 300;

interface Log {
  readonly path: string;
  readonly runDir: string;
  /** Read before the log was removed. */
  lines?: readonly string[];
}

const logs = new Map<string, Log>();
let failed: string[] = [];

/** Called when a coid is started: its log belongs to the test that runs. */
export function followLog(name: string, runDir: string, path: string): void {
  logs.set(name, { runDir, path });
}

/** Called before the log is removed. */
export function keepLog(name: string): void {
  const log = logs.get(name);
  if (log) log.lines = linesOf(log.path);
}

afterEach((context) => {
  if (!('passed' in context)) return;
  if (!context.passed) failed.push(context.fullName);
  // A coid of a test around this one is still in use: a test that was given up leaves its own as well.
  const { fullName } = context;
  const own = failed.some((name) => name === fullName || name.startsWith(`${fullName} > `));
  for (const [name, { path, lines, runDir }] of own ? logs : [])
    print(name, lines ?? [...linesOf(path), ...threadsOf(runDir)], fullName);
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

/** What the threads of a coid that still runs wait for: one that is held in the kernel logs nothing any more. */
function threadsOf(runDir: string): string[] {
  const isOwn = (pid: string) => texted(`/proc/${pid}/environ`).includes(`COI_RUN_DIR=${runDir}\0`);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOwn(name));
  return pids.flatMap((pid) => [
    `process ${pid}: ${texted(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`,
    ...namesIn(`/proc/${pid}/task`).map((thread) => {
      const at = `/proc/${pid}/task/${thread}`;
      const state = /^State:\s*(.*)$/m.exec(texted(`${at}/status`))?.[1];
      const stack = texted(`${at}/stack`).trim().split('\n').slice(0, 6).join(' ');
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

function texted(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It ended meanwhile, or says nothing of itself.
    return '';
  }
}
