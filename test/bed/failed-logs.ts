// The logs of the coids that a failed test used. They are removed with the bed, and a failure that comes once in a hundred
// runs is understood from them or not at all. Printed before the next test begins; scripts/recap.ts repeats the end.
import { readFileSync } from 'node:fs';
import { afterEach } from 'node:test';

/** Begins each printed line of a log. */
const mark = 'coid| ';
const linesMax = 300;

interface Log {
  readonly path: string;
  /** Read before the log was removed. */
  lines?: readonly string[];
}

const logs = new Map<string, Log>();
let failed: string[] = [];

/** Called when a coid is started: its log belongs to the test that runs. */
export function followLog(name: string, path: string): void {
  logs.set(name, { path });
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
  const own = failed.some((name) => name.startsWith(context.fullName));
  if (own)
    for (const [name, { path, lines }] of logs)
      print(name, lines ?? linesOf(path), context.fullName);
  if (context.fullName.includes(' > ')) return;
  logs.clear();
  failed = [];
});

function print(name: string, lines: readonly string[], test: string): void {
  for (const line of [`${name}, of: ${test}`, ...lines]) process.stderr.write(`${mark}${line}\n`);
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-linesMax);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return [];
  }
}
