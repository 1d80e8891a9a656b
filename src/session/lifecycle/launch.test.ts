// What a failed start means for the next one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoiError } from '../../errors.ts';
import { IncusError } from '../../incus/client.ts';
import { LostName, lostName } from '../record/lost-name.ts';
import { incusFailure } from './incus-failure.ts';
import { launching } from './launch.ts';

const said = (message: string) =>
  incusFailure(
    new IncusError({ status: 400, method: 'GET', path: '/1.0/operations/o', message }),
    'starting the container failed',
  );
const lost = said(
  'Failed start validation for device "eth0": IP address "10.77.0.54" already defined on another NIC',
);

/** How often a start is run that fails with these, one after the other, and how that ends. */
async function starts(...failures: unknown[]): Promise<{ runs: number; error: unknown }> {
  let runs = 0;
  const error = await launching(async () => {
    runs += 1;
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
  }).catch((thrown: unknown) => thrown);
  return { runs, error };
}

test('a start whose address was taken meanwhile is run once more, and not oftener', async () => {
  assert.deepEqual(await starts(lost), { runs: 2, error: undefined });
  assert.deepEqual(await starts(lost, lost), { runs: 2, error: lost });
});

test('a start that met the end of the container that had its name before is run once more', async () => {
  assert.deepEqual(await starts(said('no such file or directory')), { runs: 2, error: undefined });
});

test('any other failure is final', async () => {
  const other = said('Failed start validation for device "root": no such pool');
  assert.deepEqual(await starts(other), { runs: 1, error: other });
  const missing = said('Missing source path "/x": no such file or directory');
  assert.deepEqual(await starts(missing), { runs: 1, error: missing });
  const ours = new CoiError('slot-taken', 'all slots are in use');
  assert.deepEqual(await starts(ours), { runs: 1, error: ours });
});

test('a start that lost its name takes the next, as often as there are slots', async () => {
  const name = new LostName('coi-12345678-1', undefined);
  assert.deepEqual(await starts(name, name, name), { runs: 4, error: undefined });
  assert.deepEqual(await starts(...Array<unknown>(12).fill(name)), { runs: 11, error: name });
  assert.deepEqual(await starts(name, lost, name), { runs: 4, error: undefined });
});

test('a name is lost where another container has it', async () => {
  const at = { container: 'coi-12345678-1', id: 'ours' } as never;
  const found = (config: Record<string, string> | undefined) => ({
    instance: async () =>
      config && ({ instance: { name: 'coi-12345678-1', config }, etag: '' } as never),
  });
  assert.equal(await lostName(found(undefined), at), false);
  assert.equal(await lostName(found({}), at), true);
});
