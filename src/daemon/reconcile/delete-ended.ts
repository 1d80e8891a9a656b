// Deletes an ended container, unless it changed since the decision.
import type { Incus } from '../../incus/client.ts';
import { runningTasks } from '../../session/lifecycle/incus-operations.ts';
import { deleteContainer, findByRef } from '../../session/record/change-instance.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { FinishAction } from './plan.ts';

/** `busy`: another operation is running; a restart from outside also passes through Stopped. */
export type DeleteOutcome = 'gone' | 'busy' | 'changed';

const deleteLimitMs = 60_000;

/** Incus reports failures only as text, so the result is checked instead: a missing container is done. Throws IncusError. */
export async function deleteEnded(
  incus: Incus,
  { name, id, reason }: FinishAction,
  signal: AbortSignal,
): Promise<DeleteOutcome> {
  if ((await runningTasks(incus, name, signal)).length > 0) return 'busy';
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
    if (await findByRef(incus, ref, { signal })) throw error;
  }
  return 'gone';
}
