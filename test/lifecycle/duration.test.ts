// [limits.runtime] max_duration applies even if no terminal is attached.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { Lifecycle } from '../bed/events.ts';
import { onlyInstance } from '../terminal/session.ts';
import { endMs, homeFile, sessionId, startConversation } from './conversation.ts';

const timeout = 120_000;

test('a session ends at its time limit, attached or not; persistent ones and conversations stay', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  homeFile(bed, '.coi/config.toml', '[limits.runtime]\nmax_duration = "6s"\n');
  using events = await Lifecycle.open(bed.incus);
  const screen = await startConversation(bed);
  const { name } = await onlyInstance(bed);
  const started = await bed.coi(['shell', '--background', '--persistent', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const kept = (await bed.instances()).find((other) => other !== name) ?? '';
  assert.equal((await screen.ended(endMs)).status, 0);
  assert.match(screen.output(), /has reached its time limit.*max_duration/);
  assert.match(screen.output(), /Container removed/);
  await events.until('instance-shutdown', kept);
  assert.deepEqual(await bed.instances(), [kept]);
  homeFile(bed, '.coi/config.toml', '');
  const again = await startConversation(bed, [`--resume=${sessionId(screen)}`]);
  assert.equal(
    (await bed.incus.instance(name))?.instance.config['user.coi.max_duration'],
    undefined,
  );
  again.key('ctrl-b d');
  await again.ended(endMs);
});
