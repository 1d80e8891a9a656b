// How long a call to coid is waited for: as long as coid shows on another connection that it lives, and says what it does.
import { CoiError } from '../errors.ts';
import type { AliveReply } from './protocol.ts';

export interface WaitLimits {
  /** After that time without an answer coid is asked whether it lives, and has as long to say so. */
  readonly silenceMs: number;
  /** After that time it is given up, alive or not. */
  readonly wholeMs: number;
}

export interface Patience {
  /** Throws when coid does not say so. */
  readonly isAlive: (options: {
    signal: AbortSignal;
    timeoutMs: number;
  }) => Promise<AliveReply | undefined>;
  readonly limits: WaitLimits;
  readonly signal: AbortSignal | undefined;
  readonly tell: (line: string) => void;
}

/** Throws `timeout`, what the call throws, or the signal's reason. */
export async function patiently<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { isAlive, limits, signal: outer, tell }: Patience,
): Promise<T> {
  const { silenceMs, wholeMs } = limits;
  const over = new AbortController();
  const signal = outer ? AbortSignal.any([outer, over.signal]) : over.signal;
  let timer: NodeJS.Timeout | undefined;
  let waitedMs = 0;
  let waitsFor = 'coid';
  let done = false;
  const ask = async () => {
    waitedMs += silenceMs;
    if (waitedMs >= wholeMs) return over.abort(tooLong(waitedMs, waitsFor));
    try {
      const alive = await isAlive({ signal, timeoutMs: silenceMs });
      waitsFor = alive?.waitsForIncus ? 'Incus' : 'coid';
    } catch (error) {
      const code = error instanceof CoiError ? error.code : undefined;
      if (code === 'timeout') return over.abort(silent(waitedMs + silenceMs, error));
      // A coid of an older version lives too, and does not know the question.
      if (code !== 'usage') return over.abort(error);
    }
    if (done) return;
    if (waitedMs === silenceMs) tell(stillWaiting(waitsFor));
    timer = setTimeout(ask, silenceMs);
  };
  timer = setTimeout(ask, silenceMs);
  try {
    return await call(signal);
  } finally {
    done = true;
    clearTimeout(timer);
    // Ends a question that is on its way.
    over.abort();
  }
}

function stillWaiting(waitsFor: string): string {
  return waitsFor === 'Incus'
    ? 'Still waiting: Incus has not answered coid yet...'
    : 'Still waiting: coid is running and has not finished yet...';
}

export function silent(waitedMs: number, cause: unknown): CoiError {
  return new CoiError('timeout', `coid did not answer within ${waitedMs / 1000} s`, {
    hint: 'Run `coi daemon logs` to see why.',
    cause,
  });
}

function tooLong(waitedMs: number, waitsFor: string): CoiError {
  const seconds = waitedMs / 1000;
  return waitsFor === 'Incus'
    ? new CoiError('timeout', `Incus did not answer coid within ${seconds} s`, {
        hint: 'Incus is busy or hangs; try again, and see `coi health`.',
      })
    : new CoiError('timeout', `coid is running, and did not finish within ${seconds} s`, {
        hint: 'Run `coi daemon logs` to see why.',
      });
}
