// External ends of coi: signals, a closed window, a crash. The agent keeps running and can be reached again.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { sessionId, storeOf } from '../lifecycle/conversation.ts';
import { occurrences, onlyInstance, shellArgs } from './session.ts';

const timeout = 180_000;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  test(`${signal} cleans up once, restores the terminal and leaves the agent running`, {
    timeout,
  }, async () => {
    await using bed = await makeBed();
    const { screen, modes } = await bed.watchedScreen(shellArgs(bed));
    await screen.waitFor('You:');
    process.kill(modes.pid(), signal);
    assert.equal((await screen.ended()).status, 0);
    assert.equal(occurrences(screen.history(), 'Cleaning up session...'), 1);
    assert.match(screen.history(), /Received interrupt signal, cleaning up\.\.\./);
    assert.match(screen.history(), /Container kept running/);
    assert.equal(modes.after(), modes.before());
    assert.equal((await onlyInstance(bed)).status, 'Running');
  });
}

test('a second signal during cleanup changes nothing', { timeout }, async () => {
  await using bed = await makeBed();
  const { screen, modes } = await bed.watchedScreen(shellArgs(bed));
  await screen.waitFor('You:');
  process.kill(modes.pid(), 'SIGTERM');
  process.kill(modes.pid(), 'SIGHUP');
  assert.equal((await screen.ended()).status, 0);
  assert.equal(occurrences(screen.history(), 'Cleaning up session...'), 1);
  assert.equal(modes.after(), modes.before());
});

test('closing the window leaves the agent running, and attaching shows the same screen', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const closed = bed.screen(shellArgs(bed));
  await closed.waitFor('You:');
  closed.type('still here\r');
  await closed.waitUntil('an answer', (text) => occurrences(text, 'You:') === 2);
  const noted = () =>
    statSync(`${storeOf(bed, sessionId(closed))}/metadata.json`, { bigint: true }).mtimeNs;
  const startedNs = noted();
  closed.hangUp();
  await closed.ended();
  assert.ok(noted() > startedNs, 'the end of the session is noted');
  assert.equal((await onlyInstance(bed)).status, 'Running');
  const again = bed.screen(['attach']);
  await again.waitFor(/You: still here/);
  again.key('ctrl-b d');
  assert.equal((await again.ended()).status, 0);
});

test('after kill -9 of coi the session can be listed, attached to and killed', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { screen, modes } = await bed.watchedScreen(shellArgs(bed));
  await screen.waitFor('You:');
  process.kill(modes.pid(), 'SIGKILL');
  await screen.ended();
  const { name } = await onlyInstance(bed);
  const listed = await bed.coi(['list']);
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(listed.stdout, new RegExp(`${name} \\(ephemeral\\)`));
  const again = bed.screen(['attach', name]);
  await again.waitFor('You:');
  again.key('ctrl-b d');
  await again.ended();
  const killed = await bed.coi(['kill', '--force', name]);
  assert.equal(killed.status, 0, killed.stderr);
  assert.deepEqual(await bed.instances(), []);
});

test('ctrl-c before the container is up leaves nothing', { timeout }, async () => {
  await using bed = await makeBed();
  const { screen, modes } = await bed.watchedScreen(shellArgs(bed));
  await screen.waitFor('Setting up session');
  process.kill(modes.pid(), 'SIGINT');
  const { status } = await screen.ended();
  assert.ok([0, 130].includes(status), `status ${status}`);
  assert.equal(modes.after(), modes.before());
  assert.deepEqual(await bed.instances(), []);
});
