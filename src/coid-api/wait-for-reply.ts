// How long to wait for a reply from coid: as long as coid answers liveness checks on another connection.
import { CoiError } from '../errors.ts';
import type { AliveReply } from './protocol.ts';

export interface WaitLimits {
  /** After this time without a reply, coid gets a liveness check, with the same limit. */
  readonly silenceMs: number;
  /** After this time the call fails, even if coid is alive. */
  readonly wholeMs: number;
}

export interface WaitOptions {
  /** Throws if coid does not answer. */
  readonly isAlive: (options: {
    signal: AbortSignal;
    timeoutMs: number;
  }) => Promise<AliveReply | undefined>;
  readonly limits: WaitLimits;
  readonly signal: AbortSignal | undefined;
  readonly onWait: (line: string) => void;
}

/** Throws `timeout`, the error of the call, or the signal's reason. */
export async function waitWhileAlive<T>(
  call: (signal: AbortSignal) => Promise<T>,
  { isAlive, limits, signal: outer, onWait }: WaitOptions,
): Promise<T> {
  const { silenceMs, wholeMs } = limits;
  const over = new AbortController();
  const signal = outer ? AbortSignal.any([outer, over.signal]) : over.signal;
  let timer: NodeJS.Timeout | undefined;
  let waitedMs = 0;
  let waitsFor = 'coid';
  let done = false;
  const checkAlive = async () => {
    waitedMs += silenceMs;
    if (waitedMs >= wholeMs) return over.abort(timeoutError(waitedMs, waitsFor));
    try {
      const alive = await isAlive({ signal, timeoutMs: silenceMs });
      waitsFor = alive?.waitsForIncus ? 'Incus' : 'coid';
    } catch (error) {
      const code = error instanceof CoiError ? error.code : undefined;
      if (code === 'timeout') return over.abort(noReplyError(waitedMs + silenceMs, error));
      // An older coid is alive but does not know this request.
      if (code !== 'usage') return over.abort(error);
    }
    if (done) return;
    if (waitedMs === silenceMs) onWait(stillWaiting(waitsFor));
    timer = setTimeout(checkAlive, silenceMs);
  };
  timer = setTimeout(checkAlive, silenceMs);
  try {
    return await call(signal);
  } finally {
    done = true;
    clearTimeout(timer);
    // Cancels a liveness check in flight.
    over.abort();
  }
}

function stillWaiting(waitsFor: string): string {
  return waitsFor === 'Incus'
    ? 'Still waiting: Incus has not answered coid yet...'
    : 'Still waiting: coid is running and has not finished yet...';
}

export function noReplyError(waitedMs: number, cause: unknown): CoiError {
  return new CoiError('timeout', `coid did not answer within ${waitedMs / 1000} s`, {
    hint: 'Run `coi daemon logs` to see why.',
    cause,
  });
}

function timeoutError(waitedMs: number, waitsFor: string): CoiError {
  const seconds = waitedMs / 1000;
  return waitsFor === 'Incus'
    ? new CoiError('timeout', `Incus did not answer coid within ${seconds} s`, {
        hint: 'Incus is busy or hangs. Try again, or run `coi health`.',
      })
    : new CoiError('timeout', `coid is running but did not finish within ${seconds} s`, {
        hint: 'Run `coi daemon logs` to see why.',
      });
}
