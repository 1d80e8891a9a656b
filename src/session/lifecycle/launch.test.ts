// Consequences of a failed start for the next one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoiError } from '../../errors.ts';
import { IncusError } from '../../incus/client.ts';
import { isNameTaken, NameTaken } from '../record/name-taken.ts';
import { incusFailure } from './incus-failure.ts';
import { type LaunchContext, launchSteps, retryLaunch } from './launch.ts';

const failureWith = (message: string) =>
  incusFailure(
    new IncusError({ status: 400, method: 'GET', path: '/1.0/operations/o', message }),
    'starting the container failed',
  );
const lost = failureWith(
  'Failed start validation for device "eth0": IP address "10.77.0.54" already defined on another NIC',
);

/** How often a start that fails with these errors is tried, and its final error. */
async function starts(...failures: unknown[]): Promise<{ runs: number; error: unknown }> {
  let runs = 0;
  const error = await retryLaunch(async () => {
    runs += 1;
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  }).catch((thrown: unknown) => thrown);
  return { runs, error };
}

test('a start whose address was taken is retried exactly once', async () => {
  assert.deepEqual(await starts(lost), { runs: 2, error: undefined });
  assert.deepEqual(await starts(lost, lost), { runs: 2, error: lost });
});

test('a start that collides with the end of a container of its name is retried once', async () => {
  assert.deepEqual(await starts(failureWith('no such file or directory')), {
    runs: 2,
    error: undefined,
  });
});

test('a retried start may lock the session again, also if coid has already seen its container', async () => {
  const calls: string[] = [];
  const reservation = { container: 'coi-12345678-1', id: 'ours' };
  const context = {
    startId: 'start',
    spec: { persistent: false },
    plan: { reserve: {} },
    incus: { instance: async () => undefined, query: async () => ({}) },
    coid: {
      reserve: async ({ startId }: { readonly startId: string }) => {
        calls.push(`reserve ${startId}`);
        return reservation;
      },
      release: async (id: string) => calls.push(`release ${id}`),
      releaseStart: async (startId: string) => calls.push(`release start ${startId}`),
    },
  } as unknown as LaunchContext;
  const [, reserve, , create] = launchSteps;
  await reserve?.run(context, AbortSignal.timeout(1000));
  await create?.undo?.(context);
  await reserve?.undo?.(context);
  await reserve?.run(context, AbortSignal.timeout(1000));
  assert.deepEqual(calls, [
    'reserve start',
    'release start start',
    'release ours',
    'reserve start',
  ]);
});

test('any other start failure is final', async () => {
  const other = failureWith('Failed start validation for device "root": no such pool');
  assert.deepEqual(await starts(other), { runs: 1, error: other });
  const missing = failureWith('Missing source path "/x": no such file or directory');
  assert.deepEqual(await starts(missing), { runs: 1, error: missing });
  const ours = new CoiError('slot-taken', 'all slots are in use');
  assert.deepEqual(await starts(ours), { runs: 1, error: ours });
});

test('a start that loses its name takes the next one, up to the number of slots', async () => {
  const name = new NameTaken('coi-12345678-1', undefined);
  assert.deepEqual(await starts(name, name, name), { runs: 4, error: undefined });
  assert.deepEqual(await starts(...Array<unknown>(12).fill(name)), { runs: 11, error: name });
  assert.deepEqual(await starts(name, lost, name), { runs: 4, error: undefined });
});

test('a name is lost when another container has it', async () => {
  const at = { container: 'coi-12345678-1', id: 'ours' } as never;
  const found = (config: Record<string, string> | undefined) => ({
    instance: async () =>
      config && ({ instance: { name: 'coi-12345678-1', config }, etag: '' } as never),
  });
  assert.equal(await isNameTaken(found(undefined), at), false);
  assert.equal(await isNameTaken(found({}), at), true);
});
