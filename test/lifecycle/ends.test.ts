// Unexpected ends: a host reboot, a missing coid, a container killed from outside.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { mountPointsUnder } from '../bed/mounts.ts';
import { untilGone } from '../bed/until.ts';
import { occurrences, onlyInstance } from '../terminal/session.ts';
import {
  conversationText,
  endMs,
  sendMessage,
  sessionId,
  startConversation,
  stopFromOutside,
  untilLive,
} from './conversation.ts';

const timeout = 180_000;
/** Limit for the event on a busy machine; the documented one is one second. */
const reportMs = 3000;

/** A host reboot empties coid's run directory. */
async function loseRunDirectory(bed: Bed): Promise<void> {
  await bed.coid.crash();
  for (const point of (await mountPointsUnder(bed.coid.runDir)).toReversed())
    await mustRun(['umount', '--lazy', point]);
  await rm(bed.coid.runDir, { recursive: true, force: true });
}

test('a container killed from outside is reported at once and cleaned up once, and its conversation can be resumed', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = await startConversation(bed);
  await sendMessage(screen, 'outside');
  const { name } = await onlyInstance(bed);
  await stopFromOutside(bed, name);
  const stoppedMs = performance.now();
  const { atMs, status } = await screen.ended(endMs);
  assert.equal(status, 0);
  assert.ok(atMs - stoppedMs < reportMs, `told after ${atMs - stoppedMs} ms`);
  assert.equal(occurrences(screen.output(), 'Cleaning up session...'), 1);
  assert.match(screen.output(), /Container removed \(session data saved for --resume\)/);
  assert.deepEqual(await bed.instances(), []);
  const again = await startConversation(bed, ['--resume']);
  assert.match(again.text(), /> outside/);
});

test('after a host reboot an ephemeral session is gone, a persistent one restarts, and both conversations resume', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const ephemeral = await startConversation(bed);
  await sendMessage(ephemeral, 'first words');
  const kept = await startConversation(bed, ['--persistent']);
  await sendMessage(kept, 'kept words');
  const ids = [ephemeral, kept].map(sessionId);
  const [one = '', two = ''] = await bed.instances();
  // coid ends, and the containers with it; then /run is empty.
  await untilLive(bed, one);
  await untilLive(bed, two);
  await bed.coid.crash();
  await Promise.all([stopFromOutside(bed, one), stopFromOutside(bed, two)]);
  await Promise.all([ephemeral.ended(endMs), kept.ended(endMs)]);
  await loseRunDirectory(bed);
  await bed.coid.start();
  await untilGone(bed.incus, one, 20_000);
  assert.deepEqual(await bed.instances(), [two]);
  assert.match(conversationText(bed, ids[0] ?? ''), /first words/);
  const back = await startConversation(bed, [`--resume=${ids[1]}`]);
  assert.match(back.output(), /same container/);
  assert.match(back.text(), /> kept words/);
  const other = await startConversation(bed, [`--resume=${ids[0]}`]);
  assert.match(other.text(), /> first words/);
});

test('without coid a session still ends: coi deletes the container itself', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = await startConversation(bed);
  await sendMessage(screen, 'alone');
  const { name } = await onlyInstance(bed);
  await untilLive(bed, name);
  await bed.coid.crash();
  await stopFromOutside(bed, name);
  await screen.ended(endMs);
  assert.match(screen.output(), /Container removed/);
  assert.deepEqual(await bed.instances(), []);
  await bed.coid.start();
});
