// What Incus is doing with an instance just now: while it does, it refuses most other calls.
import type { Incus } from '../../incus/client.ts';
import type { Instance, OperationData } from '../../incus/shapes.ts';
import { isNewborn } from '../record/instance-record.ts';
import { isIncusError } from './incus-failure.ts';

/** Incus lists operations for some seconds after their end, with a status code from here on. */
const doneCode = 200;
const makingSeconds = 120;

/** Ids of the tasks that have not ended. */
export async function tasksOf(
  incus: Pick<Incus, 'query'>,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  const listed = await incus.query('GET', '/1.0/operations?recursion=1', undefined, { signal });
  return Object.values(listed as Record<string, OperationData[]>)
    .flat()
    .filter(
      ({ class: kind, status_code: code, resources }) =>
        kind === 'task' && code < doneCode && namesInstance(resources, name),
    )
    .map(({ id }) => id);
}

/**
 * Resolves when those have ended, well or not, or at the latest after that many seconds. When Incus cannot say, it
 * resolves too: whoever goes on then finds out.
 */
export async function untilIdle(
  incus: Incus,
  name: string,
  limitSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: limitSeconds * 1000 + 10_000 };
  try {
    for (const id of await tasksOf(incus, name, signal)) {
      const path = `/1.0/operations/${id}/wait?timeout=${limitSeconds}`;
      await incus.query('GET', path, undefined, options);
    }
  } catch (error) {
    if (signal.aborted || !isIncusError(error)) throw error;
  }
}

/** Waits for one that somebody is making, at most two minutes; false at once for any other. */
export async function untilMade(
  incus: Incus,
  instance: Instance,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isNewborn(instance)) return false;
  await untilIdle(incus, instance.name, makingSeconds, signal);
  return true;
}

function namesInstance(resources: OperationData['resources'], name: string): boolean {
  const paths = Object.values(resources ?? {}).flat();
  return paths.some((path) => path.split('?')[0]?.endsWith(`/instances/${name}`));
}
