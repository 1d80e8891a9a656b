// Deletes a container that has ended, if it still is what it was when that was decided.
import type { Incus } from '../../incus/client.ts';
import { tasksOf } from '../../session/lifecycle/incus-operations.ts';
import { deleteContainer, findMeant } from '../../session/record/change-instance.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { FinishAction } from './plan.ts';

/** `busy`: somebody is doing something with it; a restart from outside passes through Stopped too. */
export type Finished = 'gone' | 'busy' | 'changed';

const deleteLimitMs = 60_000;

/** A failure of Incus has only text, so what it means is found by looking: what is gone is finished. Throws IncusError. */
export async function finish(
  incus: Incus,
  { name, id, reason }: FinishAction,
  signal: AbortSignal,
): Promise<Finished> {
  if ((await tasksOf(incus, name, signal)).length > 0) return 'busy';
  const found = await incus.instance(name, { signal });
  if (!found) return 'gone';
  const ref = { name, mountsId: id };
  const session = sessionRecord(found.instance.config);
  if (session?.mounts.id !== id || found.instance.status !== 'Stopped') return 'changed';
  if (reason === 'ended' && session.persistent) return 'changed';
  try {
    const deletion = await deleteContainer(incus, ref, { signal });
    await deletion.wait({ signal, timeoutMs: deleteLimitMs });
  } catch (error) {
    if (await findMeant(incus, ref, { signal })) throw error;
  }
  return 'gone';
}
