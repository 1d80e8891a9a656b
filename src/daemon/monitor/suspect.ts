// What is kept of one process, read by another one that is killed when it takes too long: the container may keep the kernel
// from answering, and a thread that waits for it would stay with coid, and with it the end of coid.
import { readProgram } from '../../host/process/program.ts';
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
  program: readonly string[],
  pid: number,
  target: string,
): Promise<Suspect> {
  const line = await firstLine([...program, suspectWord, String(pid), target]);
  try {
    return JSON.parse(line) as Suspect;
  } catch {
    return { copied: { pid, program: '', kept: 'none', reason: 'it could not be read in time' } };
  }
}

/** What it said by then. It is not waited for: threads of it that wait for the kernel keep it from ending by itself. */
function firstLine(argv: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    const reader = readProgram(argv, { cwd: '/' });
    const done = () => {
      clearTimeout(limit);
      reader.leave();
      resolve(said);
    };
    const limit = setTimeout(done, limitMs);
    void reader.ended.then(done);
    reader.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.endsWith('\n')) done();
    });
    reader.stdout.once('close', done);
  });
}
