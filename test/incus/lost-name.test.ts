// Two coids that reserve names in one Incus, like the members of a cluster: the loser of a name takes the next slot.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { startCoid } from '../bed/coid.ts';

test('concurrent starts with the same name each get a slot', {
  timeout: 240_000,
}, async () => {
  await using undo = new AsyncDisposableStack();
  const bed = undo.use(await makeBed());
  const others = await Promise.all([startCoid(), startCoid()]);
  for (const other of others) undo.defer(() => other.remove());
  // Removed before their mounts are.
  undo.defer(async () => void (await bed.coi(['kill', '--all', '--force'])));
  // None ends before all have started: its slot would be free again.
  const script = 'hostname; : > begun-$(hostname); until [ -e begun-*-3 ]; do sleep 0.1; done';
  const runs = await Promise.all(
    [bed.coid, ...others].map(({ env }) =>
      bed.coi(['run', '--', 'timeout', '60', 'sh', '-c', script], { env, limitMs: 120_000 }),
    ),
  );
  for (const { status, stderr } of runs) assert.equal(status, 0, stderr);
  const slots = runs.map(({ stdout }) => stdout.trim().split('-').at(-1));
  assert.deepEqual(slots.sort(), ['1', '2', '3']);
});
