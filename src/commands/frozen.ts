// Does something while nothing runs in a container, and lets it go on afterwards whatever happened.
import type { App } from '../app.ts';
import { changeState, NotMeant } from '../session/act.ts';
import { refOf } from '../session/container-ref.ts';
import { incusFailure } from '../session/failure.ts';
import type { Container } from '../session/record.ts';

const limitMs = 30_000;

/** Freezes a running container around `effect`; one that is stopped or frozen already stays as it is. */
export async function whileFrozen<T>(
  app: App,
  { name, status, instance }: Container,
  effect: () => Promise<T>,
): Promise<T> {
  if (status !== 'Running') return effect();
  const incus = await app.incus();
  const change = async (action: 'freeze' | 'unfreeze') =>
    (await changeState(incus, refOf(instance), { action })).wait({ timeoutMs: limitMs });
  try {
    await change('freeze');
  } catch (error) {
    throw incusFailure(error, `pausing ${name} failed`);
  }
  try {
    return await effect();
  } finally {
    await change('unfreeze').catch((error: unknown) => {
      if (error instanceof NotMeant) app.io.warn(error.message);
      else app.io.warn(`${name} is still paused; \`coi unfreeze ${name}\` lets it go on`);
    });
  }
}
