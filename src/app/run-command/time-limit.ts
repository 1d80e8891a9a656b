// Time limits that users give: `--timeout`.
import { CoiError } from '../../errors.ts';

export interface TimeLimit {
  readonly ms: number;
  /** As the user wrote it. */
  readonly text: string;
}

/** The exit status of timeout(1). */
const timedOutStatus = 124;

/** Aborts the signal of `run` after the limit, with the reason `timeout` (exit status 124), or with `signal`. */
export async function withTimeLimit<T>(
  signal: AbortSignal,
  limit: TimeLimit | undefined,
  message: (limit: TimeLimit) => string,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer =
    limit &&
    setTimeout(
      () => late.abort(new CoiError('timeout', message(limit), { exit: timedOutStatus })),
      limit.ms,
    );
  try {
    return await run(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}
