// [limits.runtime] max_duration holds also when nobody watches.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { Lifecycle } from '../bed/events.ts';
import { onlyInstance } from '../terminal/session.ts';
import { endMs, homeFile, sessionId, talk } from './talk.ts';

const timeout = 120_000;

test('a session ends when its time is over, attached or not; the kept one stays, the conversations too', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  homeFile(bed, '.coi/config.toml', '[limits.runtime]\nmax_duration = "6s"\n');
  using events = await Lifecycle.open(bed.incus);
  const screen = await talk(bed);
  const { name } = await onlyInstance(bed);
  const started = await bed.coi(['shell', '--background', '--persistent', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const kept = (await bed.instances()).find((other) => other !== name) ?? '';
  assert.equal((await screen.ended(endMs)).status, 0);
  assert.match(screen.output(), /its time is over.*max_duration/);
  assert.match(screen.output(), /Container removed/);
  await events.until('instance-shutdown', kept);
  assert.deepEqual(await bed.instances(), [kept]);
  homeFile(bed, '.coi/config.toml', '');
  const again = await talk(bed, [`--resume=${sessionId(screen)}`]);
  assert.equal(
    (await bed.incus.instance(name))?.instance.config['user.coi.max_duration'],
    undefined,
  );
  again.key('ctrl-b d');
  await again.ended(endMs);
});
