// Starts a program, mostly this same one, as a service of its own session, which outlives whoever started it.
import { writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { startProgram } from './program.ts';
import { selfArgv } from './self.ts';

/** The descriptor on which the started program says that it is ready, or why it never will be. */
const readyDescriptor = 3;

export interface DetachOptions {
  /** For the program. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
}

/** As `startDetached`, this same program. */
export function startSelfDetached(options: DetachOptions): Promise<string | undefined> {
  return startDetached(selfArgv(process), options);
}

/** What the program said on its ready descriptor; undefined if it ended without a word or the limit was over. */
export function startDetached(
  program: readonly string[],
  { args, env, limitMs }: DetachOptions,
): Promise<string | undefined> {
  const child = startProgram([...program, ...args], {
    cwd: '/',
    detached: true,
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  child.unref();
  return new Promise((resolve, reject) => {
    const ready = child.stdio[readyDescriptor] as Readable;
    let said = '';
    const done = () => {
      clearTimeout(limit);
      ready.destroy();
      resolve(said === '' ? undefined : said);
    };
    const limit = setTimeout(done, limitMs);
    child.once('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    ready.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.endsWith('\n')) done();
    });
    ready.on('close', done);
    ready.on('error', done);
  });
}

/** For the started program: says one line to whoever waits; nobody may be there any more. */
export function sayReady(line: string): void {
  try {
    writeSync(readyDescriptor, `${line}\n`);
  } catch {
    // Nobody listens.
  }
}

/** SIGTERM; a process that is gone already is fine. */
export function askToEnd(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
