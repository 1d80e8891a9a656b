// The end of a run in a machine that is kept: it is shut down, and how that went does not change what the command returned.
import { stopContainer } from '../../session/lifecycle/end-container.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';
import { freeing } from '../end-sessions/free-stuck.ts';

const shutdownMs = 60_000;
/** Who interrupted the run waits for its end. */
const interruptedMs = 10_000;
const wholeMs = 180_000;

/** Stops it gracefully, by force after a minute (told), sooner where the run was interrupted. */
export async function stopKept(app: AppContext, ref: ContainerRef): Promise<void> {
  const timeoutMs = app.signal.aborted ? interruptedMs : shutdownMs;
  const forced = (reason: 'paused' | 'timeout') =>
    app.report.warn(
      reason === 'paused'
        ? `${ref.name} is paused and was stopped by force`
        : `${ref.name} did not shut down within ${timeoutMs / 1000} s and was stopped by force`,
    );
  // An interrupt that comes now must not leave it running: only a limit of its own ends this.
  const signal = AbortSignal.timeout(wholeMs);
  await stopContainer(await app.incus(), ref, { timeoutMs, signal, free: freeing(app), forced });
}
