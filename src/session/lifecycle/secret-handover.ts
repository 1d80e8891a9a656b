// Passes environment and command to a starter in the container (see environment.ts).
import type { Duplex, Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import type { PipedExec } from '../../incus/client.ts';
import { foundMark, type Handover, readyMark } from '../plan/environment.ts';
import { isIncusError } from './incus-failure.ts';
import { StarterErrors, untilRead } from './starter-errors.ts';

const readyMs = 30_000;
const saidBytesMax = 4096;

/** A running starter: on a terminal (one stream for both directions) or with separate pipes. */
export interface Starter {
  readonly input: Writable;
  readonly output: Readable;
  readonly status: Promise<number>;
  readonly isTerminal?: boolean;
  /** Its stderr, if that is a separate stream. */
  readonly errors?: StarterErrors;
}

export function terminalStarter(exec: { stream: Duplex; status: Promise<number> }): Starter {
  return { input: exec.stream, output: exec.stream, status: exec.status, isTerminal: true };
}

/** Incus lost the starter before it was ready, which happens occasionally on a loaded host. */
class NotRun extends CoiError {
  constructor(cause: Error) {
    super('session-failed', `the session could not be opened: ${cause.message}`, {
      hint: 'Run `coi attach` to try again; the container is running.',
      cause,
    });
  }
}

function connectionLost(cause: unknown): CoiError {
  return new CoiError(
    'session-failed',
    'the session could not be opened: the connection to Incus was lost',
    { hint: 'Run `coi list` to see whether the container is running.', cause },
  );
}

/** Retries for a lost starter, and the delay. It received no command, so no tool runs twice. */
const triesMax = 4;
const tryAgainMs = 150;

/** Retries `open` if Incus could not run it. Throws the last error. */
export async function retryWhileNotRun<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof NotRun) || tries === triesMax) throw error;
      await pause(tryAgainMs * tries, undefined, { signal });
    }
  }
}

/** The container does not have the program; nothing was started. */
export class ToolMissing extends CoiError {
  readonly program: string;

  constructor(program: string) {
    super('tool-missing', `the container has no program '${program}'`);
    this.program = program;
  }
}

/**
 * Waits for the starter's ready mark, then writes the text; if a program is required, waits for its mark. Output before a
 * mark is dropped, output after the last one stays readable. Throws `ToolMissing`, and `session-failed` with the output if
 * the starter ends or is silent for 30 s.
 */
export async function handOver(
  starter: Starter,
  handed: Handover,
  signal: AbortSignal,
): Promise<void> {
  await waitForMark(starter, readyMark, signal);
  starter.errors?.keepAll();
  if (typeof handed === 'string') {
    starter.input.write(handed);
    return;
  }
  const found = waitForMark(starter, foundMark, signal);
  starter.input.write(handed.text);
  if ((await found) === 'no') throw new ToolMissing(handed.needs);
  if (starter.isTerminal) starter.input.write('\n');
}

/** Waits for a line with that mark and returns the rest of the line. */
function waitForMark(starter: Starter, mark: string, signal: AbortSignal): Promise<string> {
  let printed = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const fail = (why: string, cause?: unknown) => {
      stop();
      const words = [printed.toString('utf8').trim(), starter.errors?.text() ?? ''];
      const output = words.filter(Boolean).join('; ');
      reject(
        new CoiError(
          'session-failed',
          `the session could not be opened: ${why}${output ? `: ${output.slice(-500)}` : ''}`,
          { hint: 'Run `coi build`: only images built by coi can run sessions.', cause },
        ),
      );
    };
    const readOn = (chunk: Buffer) => {
      printed = Buffer.concat([printed, chunk]);
      const at = printed.indexOf(mark);
      const end = at < 0 ? -1 : printed.indexOf('\n', at);
      if (end < 0) {
        // Other output is only kept for an error message, so it is limited.
        printed = printed.subarray(-saidBytesMax);
        return;
      }
      stop();
      starter.output.pause();
      if (end + 1 < printed.length) starter.output.unshift(printed.subarray(end + 1));
      resolve(printed.toString('utf8', at + mark.length, end).trim());
    };
    const timer = setTimeout(() => fail(`no answer within ${readyMs / 1000} s`), readyMs);
    const aborted = () => {
      stop();
      reject(signal.reason);
    };
    const stop = () => {
      clearTimeout(timer);
      starter.output.off('data', readOn);
      signal.removeEventListener('abort', aborted);
    };
    signal.addEventListener('abort', aborted, { once: true });
    starter.output.on('data', readOn);
    // Paused after an earlier mark.
    starter.output.resume();
    starter.status.then(
      (status) => fail(`the starter ended with status ${status}`),
      (error: unknown) => {
        stop();
        reject(
          isIncusError(error) && error.errno === undefined
            ? new NotRun(error)
            : connectionLost(error),
        );
      },
    );
  });
}

/** Starts run.sh. The signal applies while it opens and while the command runs. */
export type StartExec = (signal: AbortSignal) => Promise<PipedExec>;

/**
 * Runs a command with pipes at most once: run.sh waits for its command on stdin, so a starter that Incus lost but still runs
 * does nothing. stdout and stderr are paused. Throws like `handOver`.
 */
export function startOnce(
  start: StartExec,
  handedOver: Handover,
  signal: AbortSignal,
): Promise<PipedExec> {
  return retryWhileNotRun(async () => {
    const exec = await start(signal);
    // The status tells how it ended.
    exec.stdin.on('error', () => {});
    const errors = new StarterErrors(exec.stderr);
    try {
      const starter = { input: exec.stdin, output: exec.stdout, status: exec.status, errors };
      await handOver(starter, handedOver, signal);
      return withErrors(exec, errors.rest());
    } catch (error) {
      exec.close();
      throw error;
    }
  }, signal);
}

/** Delays the status until all output was read, also if the command has already ended. */
function withErrors(exec: PipedExec, stderr: Readable): PipedExec {
  if (stderr === exec.stderr) return exec;
  const status = exec.status.finally(() => untilRead(stderr));
  // Callers that await it still see the rejection.
  status.catch(() => {});
  return { ...exec, stderr, status };
}
