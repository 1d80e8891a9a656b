// Running operations of Incus on an instance: meanwhile it refuses most other calls.
import type { Incus } from '../../incus/client.ts';
import type { Instance, OperationData } from '../../incus/shapes.ts';
import { isNeverStarted } from '../record/instance-record.ts';
import { isIncusError } from './incus-failure.ts';

/** Incus lists operations for some seconds after their end, with this status code or a higher one. */
const doneCode = 200;
const makingSeconds = 120;

/** Ids of the running tasks. */
export async function runningTasks(
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
 * Resolves when the tasks have ended, successfully or not, or after the limit. Also resolves on an Incus error: the next
 * request will report it.
 */
export async function waitUntilIdle(
  incus: Incus,
  name: string,
  limitSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  const options = { signal, timeoutMs: limitSeconds * 1000 + 10_000 };
  try {
    for (const id of await runningTasks(incus, name, signal)) {
      const path = `/1.0/operations/${id}/wait?timeout=${limitSeconds}`;
      await incus.query('GET', path, undefined, options);
    }
  } catch (error) {
    if (signal.aborted || !isIncusError(error)) throw error;
  }
}

/** Waits for an instance that is being created, at most two minutes; returns false at once for others. */
export async function waitUntilCreated(
  incus: Incus,
  instance: Instance,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isNeverStarted(instance)) return false;
  await waitUntilIdle(incus, instance.name, makingSeconds, signal);
  return true;
}

function namesInstance(resources: OperationData['resources'], name: string): boolean {
  const paths = Object.values(resources ?? {}).flat();
  return paths.some((path) => path.split('?')[0]?.endsWith(`/instances/${name}`));
}
