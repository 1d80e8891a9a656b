// Connects the streams of a command in a container to those of this program, or captures its output.
import type { Writable } from 'node:stream';
import { CoiError, ExitStatus } from '../../errors.ts';
import { type StartExec, startOnce } from '../../session/lifecycle/secret-handover.ts';
import type { Handover } from '../../session/plan/environment.ts';
import type { AppContext } from '../context.ts';
import { LimitedOutput, outputBytesDefault } from './limited-output.ts';

/** `signal` ends the command, and its reason is thrown; default: the program's own signal. */
interface AbortOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The program's streams that the command's are connected to. */
export interface Streams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: Writable;
  /** Receives the command's stderr. */
  readonly stderr: Writable;
}

interface ConnectOptions extends AbortOptions {
  readonly input?: boolean;
}

/**
 * Starts run.sh (again if Incus failed), hands over, connects the streams until the command ends and returns its exit
 * status. Without `input` its stdin is empty.
 */
export async function connectStreams(
  app: AppContext,
  { stdin, stdout, stderr }: Streams,
  start: StartExec,
  handedOver: Handover,
  { input = true, signal = app.signal }: ConnectOptions = {},
): Promise<number> {
  const exec = await startOnce(start, handedOver, signal);
  const broken = Promise.withResolvers<never>();
  const outputLost = (error: Error) => broken.reject(outputFailure(error));
  // A failure of stderr must not stop the command.
  const stderrLost = () => void exec.stderr.resume();
  stdout.on('error', outputLost);
  stderr.on('error', stderrLost);
  exec.stdout.pipe(stdout, { end: false });
  exec.stderr.pipe(stderr, { end: false });
  if (stdin.isTTY || !input) exec.stdin.end();
  else stdin.pipe(exec.stdin);
  try {
    return await unlessAborted(signal, Promise.race([exec.status, broken.promise]));
  } finally {
    // A failure of the last write is reported a turn later.
    setImmediate(() => {
      stdout.off('error', outputLost);
      stderr.off('error', stderrLost);
    });
    stdin.unpipe(exec.stdin);
    stdin.pause();
    stdin.unref?.();
    exec.close();
  }
}

/** Exit status of a command whose reader is gone, as in `yes | head`: 128 and the number of SIGPIPE. */
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
  /** One of the two was longer than its limit. */
  readonly truncated: boolean;
}

export interface CaptureOptions extends AbortOptions {
  readonly input?: string | Uint8Array;
  /** Limit for each output. */
  readonly outputBytesMax?: number;
}

/** Runs the command and captures the beginning of both outputs; the rest is read and dropped. */
export async function captureStreams(
  app: AppContext,
  start: StartExec,
  handedOver: Handover,
  { input = '', outputBytesMax = outputBytesDefault, signal = app.signal }: CaptureOptions = {},
): Promise<Output> {
  const exec = await startOnce(start, handedOver, signal);
  const [stdout, stderr] = [new LimitedOutput(outputBytesMax), new LimitedOutput(outputBytesMax)];
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
  // The abort may have come while the command was being started.
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted.promise, work]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
