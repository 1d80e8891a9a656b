// What --env forwards is for the agent alone: watched from outside during a whole session.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { watchHost } from '../bed/hostwatch.ts';
import { makeUser } from '../bed/users.ts';
import { shellArgs } from './session.ts';

const timeout = 180_000;

test('a value given with --env is in the agent and nowhere on the host, from start to end', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using undo = new AsyncDisposableStack();
  const outsider = undo.adopt(await makeUser({ incusAdmin: false }), (user) => user.remove());
  const secret = randomBytes(12).toString('hex');
  const watch = undo.adopt(await watchHost(bed.incus, outsider, [secret]), (watching) =>
    watching.stop(),
  );
  const screen = bed.screen([...shellArgs(bed), '--debug', '--env', `COI_TEST_SECRET=${secret}`]);
  await screen.waitFor(/code@\S+\$ *$/m);
  screen.type('echo "<$COI_TEST_SECRET>"\r');
  await screen.waitFor(`<${secret}>`);
  const another = bed.screen(['attach']);
  await another.waitFor(`<${secret}>`);
  screen.type('sudo poweroff\r');
  await Promise.all([screen.ended(), another.ended()]);
  // The arguments of coi itself are the user's own doing; what it starts shows them for the moment before its own begin.
  const isCoi = (text: string) => text.includes('/dist/main.js shell --image ');
  const leaks = (await watch.sightings()).filter(
    ({ pid, where, text }) => pid !== screen.pid && !(where === 'cmdline' && isCoi(text)),
  );
  assert.deepEqual(leaks, []);
});
