// The moment in which a starter inside the container is given its environment and command (see environment.ts).
import type { Duplex, Readable, Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import type { PipedExec } from '../../incus/client.ts';
import { foundMark, type Handed, readyMark } from '../plan/environment.ts';
import { EarlyErrors, read } from './early-errors.ts';
import { isIncusError } from './incus-failure.ts';

const readyMs = 30_000;
const saidBytesMax = 4096;

/** A starter that was just executed: a terminal (one stream both ways) or separate pipes. */
export interface Starter {
  readonly input: Writable;
  readonly output: Readable;
  readonly status: Promise<number>;
  readonly isTerminal?: boolean;
  /** What it says on its stderr, where that is another stream. */
  readonly errors?: EarlyErrors;
}

export function terminalStarter(exec: { stream: Duplex; status: Promise<number> }): Starter {
  return { input: exec.stream, output: exec.stream, status: exec.status, isTerminal: true };
}

/** Incus lost the starter before it said that it is ready, as it does now and then on a loaded host. */
class NotRun extends CoiError {
  constructor(cause: Error) {
    super('session-failed', `the session could not be opened: ${cause.message}`, {
      hint: 'The container runs; `coi attach` tries again.',
      cause,
    });
  }
}

function lost(cause: unknown): CoiError {
  return new CoiError(
    'session-failed',
    'the session could not be opened: the connection to Incus was lost',
    { hint: '`coi list` shows whether the container runs.', cause },
  );
}

/** How often a starter that was lost is tried again, and how long after. Nothing was handed over, so no tool runs twice. */
const triesMax = 4;
const tryAgainMs = 150;

/** Opens and, when Incus could not run it, opens again. Throws what the last try threw. */
export async function opened<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await open();
    } catch (error) {
      if (!(error instanceof NotRun) || tries === triesMax) throw error;
      await pause(tryAgainMs * tries, undefined, { signal });
    }
  }
}

/** The program that was to be started is not in the container: nothing was started. */
export class ToolMissing extends CoiError {
  readonly program: string;

  constructor(program: string) {
    super('tool-missing', `the container has no program '${program}'`);
    this.program = program;
  }
}

/**
 * Waits for the starter's ready mark, then writes the text, and where a program is needed waits for its mark. What came
 * before a mark is dropped, what came after the last stays readable. Throws `session-failed` with what was printed when
 * the starter ends or says nothing for 30 s, and `ToolMissing`.
 */
export async function handOverTo(
  starter: Starter,
  handed: Handed,
  signal: AbortSignal,
): Promise<void> {
  await saidMark(starter, readyMark, signal);
  starter.errors?.keepAll();
  if (typeof handed === 'string') {
    starter.input.write(handed);
    return;
  }
  const found = saidMark(starter, foundMark, signal);
  starter.input.write(handed.text);
  if ((await found) === 'no') throw new ToolMissing(handed.needs);
  if (starter.isTerminal) starter.input.write('\n');
}

/** Resolves when a line with that mark has come, with what it says beside it. */
function saidMark(starter: Starter, mark: string, signal: AbortSignal): Promise<string> {
  let printed = Buffer.alloc(0);
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const fail = (why: string, cause?: unknown) => {
      stop();
      const words = [printed.toString('utf8').trim(), starter.errors?.text() ?? ''];
      const said = words.filter(Boolean).join('; ');
      reject(
        new CoiError(
          'session-failed',
          `the session could not be opened: ${why}${said ? `: ${said.slice(-500)}` : ''}`,
          { hint: 'Only images that coi built can run sessions: run `coi build`.', cause },
        ),
      );
    };
    const readOn = (chunk: Buffer) => {
      printed = Buffer.concat([printed, chunk]);
      const at = printed.indexOf(mark);
      const end = at < 0 ? -1 : printed.indexOf('\n', at);
      if (end < 0) {
        // What is not the mark is kept for a message only, however much an image prints.
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
        reject(isIncusError(error) && error.errno === undefined ? new NotRun(error) : lost(error));
      },
    );
  });
}

/** Starts run.sh. The signal holds for the opening and for the life of the command. */
export type Start = (signal: AbortSignal) => Promise<PipedExec>;

/**
 * A command with pipes that runs once or not at all: what `start` starts (run.sh) waits for its command on stdin, so one
 * that Incus lost, and that may yet run, ends there. Its stdout and stderr are paused. Throws as `handOverTo`.
 */
export function started(start: Start, handedOver: Handed, signal: AbortSignal): Promise<PipedExec> {
  return opened(async () => {
    const exec = await start(signal);
    // How it ended is what the status says.
    exec.stdin.on('error', () => {});
    const errors = new EarlyErrors(exec.stderr);
    try {
      const starter = { input: exec.stdin, output: exec.stdout, status: exec.status, errors };
      await handOverTo(starter, handedOver, signal);
      return withErrors(exec, errors.rest());
    } catch (error) {
      exec.close();
      throw error;
    }
  }, signal);
}

/** The last output comes before the status, also of a command that has ended already. */
function withErrors(exec: PipedExec, stderr: Readable): PipedExec {
  if (stderr === exec.stderr) return exec;
  const status = exec.status.finally(() => read(stderr));
  // Who awaits it still sees the rejection.
  status.catch(() => {});
  return { ...exec, stderr, status };
}
