// A suite that test/bed/interrupted.test.ts interrupts: it starts a session and never ends.
import { test } from 'node:test';
import { makeBed } from './bed.ts';

test('a session that is never ended', async () => {
  await using bed = await makeBed();
  const { status, stderr } = await bed.coi(['shell', '--background', '--image', bed.image]);
  if (status !== 0) throw new Error(stderr);
  const [name] = await bed.instances();
  const status2 = await bed.coid.status();
  console.log(`made ${name} ${bed.coid.runDir} ${status2?.pid} ${bed.user.name} end`);
  await new Promise(() => setInterval(() => undefined, 60_000));
});
