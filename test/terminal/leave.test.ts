// Ways to leave a terminal, through the built program with the real Incus.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { peakMiB } from '../../bench/resident.ts';
import { type Bed, makeBed, type Who } from '../bed/bed.ts';
import { Lifecycle } from '../bed/events.ts';
import { slowdown } from '../bed/slowdown.ts';
import { untilGone } from '../bed/until.ts';
import { occurrences, onlyInstance, shellArgs } from './session.ts';

const timeout = 180_000;
/** coi's messages in this order: users and scripts read them. */
const messages =
  /^Auto-allocated slot 1\nSetting up session (\S+)\.\.\.\n(?:\[setup\] .*\n)*?\[setup\] Container name: (\S+)\n(?:.*\n)*?\[setup\] Container setup complete!\n\nStarting session\.\.\.\nSession ID: \1\nContainer: \2\nWorkspace: \S+\nMode: Interactive \(tmux\)\n\n[\s\S]*\nCleaning up session\.\.\.\n\[cleanup\] Saving session data to \S+\/\1\n\[cleanup\] Session data saved successfully\n\[cleanup\] Container kept running - use 'coi attach \2' to reconnect/m;
const people: readonly Who[] = ['ordinary', 'uid-1000', 'root'];

for (const who of people) {
  test(`${who}: detaching takes less than a second, restores the terminal and leaves the agent running`, {
    timeout,
  }, async () => {
    await using bed = await makeBed({ who });
    const { screen, modes } = await bed.watchedScreen(shellArgs(bed));
    await screen.waitFor('You:');
    const pressedMs = performance.now();
    screen.key('ctrl-b d');
    const { status, atMs } = await screen.ended();
    assert.equal(status, 0);
    assert.ok(atMs - pressedMs < 1000 * (await slowdown()), `left after ${atMs - pressedMs} ms`);
    assert.match(screen.history(), /\[detached \(from session coi-\S+\)\]/);
    assert.match(screen.history(), messages);
    assert.equal(occurrences(screen.history(), 'Cleaning up session...'), 1);
    assert.equal(modes.after(), modes.before());
    assert.equal((await onlyInstance(bed)).status, 'Running');
  });

  test(`${who}: \`sudo poweroff\` inside removes the container and keeps the conversation`, {
    timeout,
  }, async () => {
    await using bed = await makeBed({ who });
    const { screen, modes } = await bed.watchedScreen(shellArgs(bed));
    await screen.waitFor('You:');
    const { name } = await onlyInstance(bed);
    screen.type('remember this\r');
    await screen.waitUntil('an answer', (text) => occurrences(text, 'You:') === 2);
    screen.type('/exit\r');
    await screen.waitFor(/code@\S+\$ *$/m);
    screen.type('sudo poweroff\r');
    const { status } = await screen.ended();
    assert.equal(status, 0);
    assert.equal(occurrences(screen.history(), 'Cleaning up session...'), 1);
    assert.match(screen.history(), /Container removed \(session data saved for --resume\)/);
    assert.equal(modes.after(), modes.before());
    assert.match(await conversations(bed), /\.claude\/projects\/.*\.jsonl/);
    // Incus is deleting it when coi prints this.
    await untilGone(bed.incus, name);
  });
}

test('`exit` in the shell ends the terminal, not the container', { timeout }, async () => {
  await using bed = await makeBed();
  const { screen, modes } = await bed.watchedScreen(shellArgs(bed));
  await screen.waitFor('You:');
  screen.type('/exit\r');
  await screen.waitFor(/code@\S+\$ *$/m);
  screen.type('exit\r');
  assert.equal((await screen.ended()).status, 0);
  assert.match(screen.history(), /\[exited\]/);
  assert.match(screen.history(), /Container kept running/);
  assert.equal(modes.after(), modes.before());
  assert.equal((await onlyInstance(bed)).status, 'Running');
});

test('`coi shell` uses at most 90 MiB while attached, even during a flood of output', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { screen, modes } = await bed.watchedScreen(shellArgs(bed));
  await screen.waitFor('You:');
  screen.type('/exit\r');
  await screen.waitFor(/code@\S+\$ *$/m);
  screen.type('seq 1 300000; echo it is "over"\r');
  await screen.waitFor('it is over');
  const peak = await peakMiB(modes.pid());
  assert.ok(peak > 10 && peak <= 90, `${peak} MiB`);
});

test('a reboot inside keeps the session and its workspace', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { screen, modes } = await bed.watchedScreen([...shellArgs(bed), '--debug']);
  await screen.waitFor(/code@\S+\$ *$/m);
  const { name } = await onlyInstance(bed);
  using lifecycle = await Lifecycle.open(bed.incus);
  screen.type('echo kept > before-reboot; sudo reboot\r');
  const { status } = await screen.ended();
  assert.equal(status, 0, screen.history());
  assert.match(screen.history(), /Container kept running/);
  assert.equal(modes.after(), modes.before());
  // The terminal ends before the guest does, and the guest shows as stopped until it is restarted.
  await lifecycle.until('instance-restarted', name);
  assert.equal((await onlyInstance(bed)).status, 'Running');
  const read = await bed.incus.execCaptured(name, { command: ['cat', '/workspace/before-reboot'] });
  assert.equal(read.stdout.toString(), 'kept\n');
});

test('without coid, a container that runs again before its removal is left alone', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { screen } = await bed.watchedScreen([...shellArgs(bed), '--debug']);
  await screen.waitFor(/code@\S+\$ *$/m);
  const { name } = await onlyInstance(bed);
  await bed.coid.stop();
  screen.type('sudo poweroff\r');
  await screen.waitUntil('the stop', () => screen.history().includes('was stopped, removing'));
  const started = await bed.incus.changeState(name, { action: 'start' });
  await started.wait();
  assert.equal((await screen.ended()).status, 0);
  assert.match(screen.history(), /removing\.\.\.\n\[cleanup\] Container kept running/);
  assert.equal((await onlyInstance(bed)).status, 'Running');
});

async function conversations(bed: Bed): Promise<string> {
  return (await readdir(`${bed.user.home}/.coi`, { recursive: true })).join('\n');
}
