// Stops a container by reference, gracefully or by force.
import { CoiError } from '../../errors.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { changeState, findByRef } from '../../session/record/change-instance.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';

const waitMs = 120_000;
/** A guest that does not shut down by then must be stopped by force, which the caller decides. */
const stopSeconds = 60;

/** Throws if the stop fails, unless the container is stopped or gone afterwards. */
export async function stopByRef(app: AppContext, ref: ContainerRef, force: boolean): Promise<void> {
  const incus = await app.incus();
  try {
    const change = { action: 'stop', timeout: stopSeconds, force } as const;
    const stopping = await changeState(incus, ref, change, { signal: app.signal });
    await stopping.wait({ signal: app.signal, timeoutMs: waitMs });
  } catch (error) {
    const after = await findByRef(incus, ref);
    // An ephemeral container is gone; one that stopped meanwhile is fine, too.
    if (after && after.instance.status !== 'Stopped')
      throw force
        ? incusFailure(error, `stopping ${ref.name} failed`)
        : notStopped(ref.name, error);
  }
}

function notStopped(name: string, cause: unknown): unknown {
  const failure = incusFailure(cause, `stopping ${name} failed`);
  if (!(failure instanceof CoiError) || failure.code !== 'incus-failed') return failure;
  return new CoiError('incus-failed', failure.message, { hint: 'Add --force.', cause });
}
