// Freezes a container during an effect, and always unfreezes it afterwards.
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { changeState, StaleContainerRef } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

/**
 * Freezing takes milliseconds, except while the guest boots: there it has been seen to hang, and to succeed when
 * tried again. Incus gives up after 30 s.
 */
const freezeLimitsMs = [10_000, 40_000];
const unfreezeLimitMs = 30_000;

/**
 * Freezes a running container around `effect`; one that is already stopped or frozen stays as it is.
 * Throws `incus-failed` or `timeout` if it cannot be frozen; it keeps running then.
 */
export async function whileFrozen<T>(
  app: Pick<AppContext, 'incus'> & { readonly report: Pick<AppContext['report'], 'warn'> },
  { name, status, instance }: Container,
  effect: () => Promise<T>,
): Promise<T> {
  if (status !== 'Running') return effect();
  const incus = await app.incus();
  const ask = (action: 'freeze' | 'unfreeze') => changeState(incus, refOf(instance), { action });
  const unfreeze = async () => (await ask('unfreeze')).wait({ timeoutMs: unfreezeLimitMs });
  for (const [tries, timeoutMs] of freezeLimitsMs.entries()) {
    try {
      await (await ask('freeze')).wait({ timeoutMs });
      break;
    } catch (error) {
      if (error instanceof StaleContainerRef) throw error;
      // Resumes a half-frozen container. If it was not frozen, Incus refuses; the first failure is the one that counts.
      await unfreeze().catch(() => undefined);
      if (tries === freezeLimitsMs.length - 1) throw incusFailure(error, `pausing ${name} failed`);
    }
  }
  try {
    return await effect();
  } finally {
    await unfreeze().catch((error: unknown) => {
      if (error instanceof StaleContainerRef) app.report.warn(error.message);
      else app.report.warn(`${name} is still paused; run \`coi unfreeze ${name}\` to resume it`);
    });
  }
}
