// Starts a program, usually this one, in its own session, so that it outlives its parent.
import { writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { startProgram } from './program.ts';
import { selfArgv } from './self.ts';

/** The descriptor on which the started program reports that it is ready or why it failed. */
const readyDescriptor = 3;

export interface DetachOptions {
  /** Arguments for the program. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly limitMs: number;
}

/** Starts this program again; see `startDetached`. */
export function startSelfDetached(options: DetachOptions): Promise<string | undefined> {
  return startDetached(selfArgv(process), options);
}

/** The program's output on its ready descriptor; undefined if it ended without any or the limit was reached. */
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
    let output = '';
    const done = () => {
      clearTimeout(limit);
      ready.destroy();
      resolve(output === '' ? undefined : output);
    };
    const limit = setTimeout(done, limitMs);
    child.once('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    ready.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.endsWith('\n')) done();
    });
    ready.on('close', done);
    ready.on('error', done);
  });
}

/** For the started program: writes one line to the starter, which may be gone. */
export function reportReady(line: string): void {
  try {
    writeSync(readyDescriptor, `${line}\n`);
  } catch {
    // The starter is gone.
  }
}

/** Sends SIGTERM; ignores a process that has already ended. */
export function sendSigterm(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
