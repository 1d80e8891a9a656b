// Shuts down a persistent container after a run.
import { stopContainer } from '../../session/lifecycle/end-container.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';
import { freeWithCoid } from '../end-sessions/free-stuck.ts';

const shutdownMs = 60_000;
/** Shorter, because a user who interrupted the run waits for its end. */
const interruptedMs = 10_000;
const wholeMs = 180_000;

/** Stops it gracefully. After a minute, or sooner if the run was interrupted, warns and stops it by force. */
export async function stopPersistent(app: AppContext, ref: ContainerRef): Promise<void> {
  const timeoutMs = app.signal.aborted ? interruptedMs : shutdownMs;
  const forced = (reason: 'paused' | 'timeout') =>
    app.report.warn(
      reason === 'paused'
        ? `${ref.name} is paused and was stopped by force`
        : `${ref.name} did not shut down within ${timeoutMs / 1000} s and was stopped by force`,
    );
  // An interrupt must not leave it running: only its own timeout ends this.
  const signal = AbortSignal.timeout(wholeMs);
  await stopContainer(await app.incus(), ref, {
    timeoutMs,
    signal,
    free: freeWithCoid(app),
    forced,
  });
}
