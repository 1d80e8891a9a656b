// Ends that nobody typed: a reboot of the host, a daemon that is away, a container taken from outside.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { untilGone } from '../bed/gone.ts';
import { mountPointsUnder } from '../bed/mounts.ts';
import { occurrences, onlyInstance } from '../terminal/session.ts';
import { endMs, live, said, say, sessionId, stopFromOutside, talk } from './talk.ts';

const timeout = 180_000;
/** Of the event, with a busy machine in mind; the promise is one second. */
const toldMs = 3000;

/** What a reboot of the host leaves of a coid: nothing of the run directory. */
async function loseRunDirectory(bed: Bed): Promise<void> {
  await bed.coid.crash();
  for (const point of (await mountPointsUnder(bed.coid.runDir)).toReversed())
    await mustRun(['umount', '--lazy', point]);
  await rm(bed.coid.runDir, { recursive: true, force: true });
}

test('a container that is killed from outside is told at once, cleaned up once, and the conversation goes on', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = await talk(bed);
  await say(screen, 'outside');
  const { name } = await onlyInstance(bed);
  await stopFromOutside(bed, name);
  const stoppedMs = performance.now();
  const { atMs, status } = await screen.ended(endMs);
  assert.equal(status, 0);
  assert.ok(atMs - stoppedMs < toldMs, `told after ${atMs - stoppedMs} ms`);
  assert.equal(occurrences(screen.output(), 'Cleaning up session...'), 1);
  assert.match(screen.output(), /Container removed \(session data saved for --resume\)/);
  assert.deepEqual(await bed.instances(), []);
  const again = await talk(bed, ['--resume']);
  assert.match(again.text(), /> outside/);
});

test('after a reboot of the host an ephemeral session is gone, a kept one starts again, and both conversations go on', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const ephemeral = await talk(bed);
  await say(ephemeral, 'first words');
  const kept = await talk(bed, ['--persistent']);
  await say(kept, 'kept words');
  const ids = [ephemeral, kept].map(sessionId);
  const [one = '', two = ''] = await bed.instances();
  // The daemons end, the containers with them; then /run is empty.
  await live(bed, one);
  await live(bed, two);
  await bed.coid.crash();
  await Promise.all([stopFromOutside(bed, one), stopFromOutside(bed, two)]);
  await Promise.all([ephemeral.ended(endMs), kept.ended(endMs)]);
  await loseRunDirectory(bed);
  await bed.coid.start();
  await untilGone(bed.incus, one, 20_000);
  assert.deepEqual(await bed.instances(), [two]);
  assert.match(said(bed, ids[0] ?? ''), /first words/);
  const back = await talk(bed, [`--resume=${ids[1]}`]);
  assert.match(back.output(), /same container/);
  assert.match(back.text(), /> kept words/);
  const other = await talk(bed, [`--resume=${ids[0]}`]);
  assert.match(other.text(), /> first words/);
});

test('without coid a session still ends: coi deletes the container itself', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = await talk(bed);
  await say(screen, 'alone');
  const { name } = await onlyInstance(bed);
  await live(bed, name);
  await bed.coid.crash();
  await stopFromOutside(bed, name);
  await screen.ended(endMs);
  assert.match(screen.output(), /Container removed/);
  assert.deepEqual(await bed.instances(), []);
  await bed.coid.start();
});
