// What is kept of one process, read by another one that is killed when it takes too long: the container may keep the kernel
// from answering, and a thread that waits for it would stay with coid, and with it the end of coid.
import { spawn } from 'node:child_process';
import { type CopiedProgram, copyProgram, mapsOf } from './program-copy.ts';

export interface Suspect {
  readonly copied: CopiedProgram;
  /** Undefined where the container keeps it from being read. */
  readonly maps?: string | undefined;
}

/** The command that does it: `<program> __suspect <pid> <target>`. */
const suspectWord = '__suspect';
/** The parts have limits of their own (program-copy.ts); this one is for a busy host. */
const limitMs = 30_000;

/** In the process that may wait. */
export async function readSuspect(pid: number, target: string): Promise<Suspect> {
  const [copied, maps] = await Promise.all([copyProgram(pid, target), mapsOf(pid)]);
  return { copied, maps };
}

/** Never fails. `program` is how coi is started: argv up to the arguments. */
export async function suspectOf(
  [file = '', ...words]: readonly string[],
  pid: number,
  target: string,
): Promise<Suspect> {
  const line = await firstLine(file, [...words, suspectWord, String(pid), target]);
  try {
    return JSON.parse(line) as Suspect;
  } catch {
    return { copied: { pid, program: '', kept: 'none', reason: 'it could not be read in time' } };
  }
}

/** What it said by then. It is not waited for: threads of it that wait for the kernel keep it from ending by itself. */
function firstLine(file: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const child = spawn(file, args, { cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] });
    const done = () => {
      clearTimeout(limit);
      child.kill('SIGKILL');
      child.stdout.destroy();
      child.unref();
      resolve(said);
    };
    const limit = setTimeout(done, limitMs);
    child.once('error', done);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.endsWith('\n')) done();
    });
    child.stdout.once('close', done);
  });
}
