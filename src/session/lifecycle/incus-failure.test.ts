import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoiError } from '../../errors.ts';
import { IncusError } from '../../incus/client.ts';
import { incusFailure } from './incus-failure.ts';

test("of a program's log in an Incus error one line is shown, and the whole is kept as the cause", () => {
  const log = Array.from({ length: 500 }, (_, at) => `tar: file-${at}: No space left on device`);
  const message = `Unpack failed, Failed to run: tar: exit status 2 (${log.join('\n')})`;
  const cause = new IncusError({ status: 400, method: 'GET', path: '/1.0/operations/x', message });
  const failure = incusFailure(cause, 'starting the container failed');
  assert.ok(failure instanceof CoiError);
  assert.equal(
    failure.message,
    'starting the container failed: Unpack failed, Failed to run: tar: exit status 2 (tar: file-0: No space left on device',
  );
  assert.equal(failure.cause, cause);
  const endless = new IncusError({
    status: 400,
    method: 'GET',
    path: '/x',
    message: 'x'.repeat(9_000),
  });
  assert.ok(String(incusFailure(endless, 'it failed')).length < 350);
});
