// Does something while nothing runs in a container, and lets it go on afterwards whatever happened.
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { changeState, NotMeant } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';

/**
 * Pausing takes milliseconds, but for a guest that boots: there it was seen to take no end, and to succeed when asked
 * again. Incus gives up after 30 s.
 */
const freezeLimitsMs = [10_000, 40_000];
const unfreezeLimitMs = 30_000;

/**
 * Freezes a running container around `effect`; one that is stopped or frozen already stays as it is.
 * Throws `incus-failed` or `timeout` if it cannot be paused; it goes on then.
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
      if (error instanceof NotMeant) throw error;
      // What was half paused goes on; where nothing was, Incus says so, and the failure is the one that counts.
      await unfreeze().catch(() => undefined);
      if (tries === freezeLimitsMs.length - 1) throw incusFailure(error, `pausing ${name} failed`);
    }
  }
  try {
    return await effect();
  } finally {
    await unfreeze().catch((error: unknown) => {
      if (error instanceof NotMeant) app.report.warn(error.message);
      else app.report.warn(`${name} is still paused; \`coi unfreeze ${name}\` lets it go on`);
    });
  }
}
