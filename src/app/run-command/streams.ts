// The streams of a command inside joined to those of this program.
import type { Writable } from 'node:stream';
import { CoiError, ExitStatus } from '../../errors.ts';
import { type Start, started } from '../../session/lifecycle/secret-handover.ts';
import type { Handed } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';
import { KeptOutput, keptBytesMax } from './limited-output.ts';

/** `signal` ends the command inside, and its reason is thrown; the program's own where it is not given. */
interface Ends {
  readonly signal?: AbortSignal | undefined;
}

/** Those of the program that the command's are joined to. */
export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Writable;
  /** Gets what the command says on its stderr. */
  readonly stderr: Writable;
}

interface PassOn extends Ends {
  readonly input?: boolean;
}

/**
 * Starts run.sh (again where Incus could not), hands over, joins the streams until the command ends and returns its
 * status. Without `input` the command finds its stdin at an end.
 */
export async function passOn(
  app: AppContext,
  { stdin, stdout, stderr }: Streams,
  start: Start,
  handedOver: Handed,
  { input = true, signal = app.signal }: PassOn = {},
): Promise<number> {
  const exec = await started(start, handedOver, signal);
  const broken = Promise.withResolvers<never>();
  const outputLost = (error: Error) => broken.reject(outputFailure(error));
  // What is told must not keep the command from its work.
  const storyLost = () => void exec.stderr.resume();
  stdout.on('error', outputLost);
  stderr.on('error', storyLost);
  exec.stdout.pipe(stdout, { end: false });
  exec.stderr.pipe(stderr, { end: false });
  if (stdin.isTTY || !input) exec.stdin.end();
  else stdin.pipe(exec.stdin);
  try {
    return await unlessAborted(signal, Promise.race([exec.status, broken.promise]));
  } finally {
    // A failure of what was written last is told a turn later.
    setImmediate(() => {
      stdout.off('error', outputLost);
      stderr.off('error', storyLost);
    });
    stdin.unpipe(exec.stdin);
    stdin.pause();
    stdin.unref?.();
    exec.close();
  }
}

/** Of a command whose reader has gone, as `yes | head` has it: 128 and the number of SIGPIPE. */
const brokenPipeStatus = 141;

function outputFailure(error: NodeJS.ErrnoException): Error {
  if (error.code === 'EPIPE') return new ExitStatus(brokenPipeStatus);
  return new CoiError('failed', `the output could not be written: ${error.message}`, {
    cause: error,
  });
}

export interface Output {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** One of the two was longer than what is kept of it. */
  readonly truncated: boolean;
}

export interface OutputWish extends Ends {
  readonly input?: string | Uint8Array;
  /** How much is kept of each output. */
  readonly keptBytes?: number;
}

/** The same with the beginning of both outputs kept; what comes after it is read and dropped. */
export async function outputOf(
  app: AppContext,
  start: Start,
  handedOver: Handed,
  { input = '', keptBytes = keptBytesMax, signal = app.signal }: OutputWish = {},
): Promise<Output> {
  const exec = await started(start, handedOver, signal);
  const [stdout, stderr] = [new KeptOutput(keptBytes), new KeptOutput(keptBytes)];
  // Paused since the hand-over.
  exec.stdout.on('data', (chunk: Buffer) => stdout.add(chunk)).resume();
  exec.stderr.on('data', (chunk: Buffer) => stderr.add(chunk)).resume();
  exec.stdin.end(input);
  try {
    const status = await unlessAborted(signal, exec.status);
    const truncated = stdout.truncated || stderr.truncated;
    return { status, stdout: stdout.text(), stderr: stderr.text(), truncated };
  } finally {
    exec.close();
  }
}

async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  // It may have come while the command was being started.
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
