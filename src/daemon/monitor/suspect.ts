// Reads evidence about a process in a child process with a time limit: the container may make reads block, and a blocked
// thread would keep coid from exiting.
import { readProgram } from '../../host/process/program.ts';
import { type CopiedProgram, copyProgram, readMaps } from './program-copy.ts';

export interface Suspect {
  readonly copied: CopiedProgram;
  /** Undefined if the container blocks reading it. */
  readonly maps?: string | undefined;
}

/** The hidden command: `<program> __suspect <pid> <target>`. */
const suspectWord = '__suspect';
/** Each step has its own limit (program-copy.ts); this one is for a busy host. */
const limitMs = 30_000;

/** Runs in the child process, which may block. */
export async function readSuspect(pid: number, target: string): Promise<Suspect> {
  const [copied, maps] = await Promise.all([copyProgram(pid, target), readMaps(pid)]);
  return { copied, maps };
}

/** Runs the child process. Never fails. `program` is the command that starts coi: argv without arguments. */
export async function runSuspectReader(
  program: readonly string[],
  pid: number,
  target: string,
): Promise<Suspect> {
  const line = await firstLine([...program, suspectWord, String(pid), target]);
  try {
    return JSON.parse(line) as Suspect;
  } catch {
    return { copied: { pid, program: '', kept: 'none', reason: 'reading it timed out' } };
  }
}

/** The child's output until the limit. Its exit is not awaited, because blocked threads may prevent it. */
function firstLine(argv: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let output = '';
    const reader = readProgram(argv, { cwd: '/' });
    const done = () => {
      clearTimeout(limit);
      reader.leave();
      resolve(output);
    };
    const limit = setTimeout(done, limitMs);
    void reader.ended.then(done);
    reader.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.endsWith('\n')) done();
    });
    reader.stdout.once('close', done);
  });
}
