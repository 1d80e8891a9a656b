// Persistent containers: creation, updates of their configuration, and selection.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { onlyInstance } from '../terminal/session.ts';
import {
  detach,
  endMs,
  homeFile,
  leaveAgent,
  metadataOf,
  powerOff,
  prompt,
  runInside,
  sendMessage,
  sessionId,
  startConversation,
  startMs,
  stopFromOutside,
} from './conversation.ts';

const timeout = 180_000;

test('coi persist changes how the running coi shell ends, and the same container is reused', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  const id = sessionId(first);
  await sendMessage(first, 'keep the kettle');
  const persisted = await bed.coi(['persist']);
  assert.equal(persisted.status, 0, persisted.stderr);
  assert.equal(metadataOf(bed, id)['persistent'], true);
  const { name } = await onlyInstance(bed);
  await runInside(bed, name, 'sh', '-c', 'echo installed >/usr/local/bin/marked');
  assert.match(await powerOff(first), /Container was stopped, keeping it \(persistent\)/);
  assert.equal((await onlyInstance(bed)).status, 'Stopped');

  const second = await startConversation(bed, ['--persistent']);
  assert.match(second.output(), new RegExp(`Reusing stopped persistent container ${name}`));
  assert.doesNotMatch(second.text(), /kettle/);
  assert.equal(await runInside(bed, name, 'cat', '/usr/local/bin/marked'), 'installed\n');
  await sendMessage(second, 'and the teapot');
  await powerOff(second, 'halt');

  const third = await startConversation(bed, ['--persistent', '--resume']);
  assert.match(third.output(), /Resume mode: same container, conversation resumed/);
  assert.match(third.text(), /> and the teapot/);
  assert.equal(sessionId(third), id);
  assert.equal(await runInside(bed, name, 'cat', '/usr/local/bin/marked'), 'installed\n');
  await detach(third);
  const ended = await bed.coi(['shutdown', name]);
  assert.equal(ended.status, 0, ended.stderr);
  assert.deepEqual(await bed.instances(), []);
});

test('a reused container follows the current configuration: limits, mounts, Docker, variables, time zone', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [data, other] = ['data', 'other'].map((name) => directory(bed, name));
  homeFile(
    bed,
    '.coi/config.toml',
    `[container]
persistent = true
[limits.cpu]
count = "1"
[limits.memory]
limit = "1GiB"
[limits.disk]
size = "8GiB"
tmpfs_size = "64MiB"
[limits.runtime]
max_processes = 900
[defaults.environment]
COLOUR = "green"
[timezone]
mode = "fixed"
name = "Asia/Tokyo"
[[mounts.default]]
host = "${data}"
container = "/data"
[[mounts.default]]
host = "${data}"
container = "/shown"
readonly = true
`,
  );
  const first = await startConversation(bed);
  const before = await onlyInstance(bed);
  assert.equal(before.config['limits.memory'], '1GiB');
  assert.equal(before.devices['root']?.['size'], '8GiB');
  assert.match(await runInside(bed, before.name, 'df', '/tmp'), /tmpfs +65536 /);
  await runInside(bed, before.name, 'sh', '-c', 'echo here >/data/file');
  assert.match(await runInside(bed, before.name, 'date', '+%Z'), /JST/);
  await powerOff(first);

  homeFile(
    bed,
    '.coi/config.toml',
    `[container]
persistent = true
docker = false
[limits.memory]
limit = "2GiB"
[defaults.environment]
COLOUR = "blue"
[timezone]
mode = "utc"
[[mounts.default]]
host = "${data}"
container = "/data"
readonly = true
[[mounts.default]]
host = "${other}"
container = "/other"
`,
  );
  const second = await startConversation(bed);
  const after = await onlyInstance(bed);
  assert.equal(after.name, before.name);
  // Without Docker its keys are false, so that an Incus profile cannot set them either.
  const inForce = Object.entries(after.config).flatMap(([key, value]) =>
    /^limits\.|^security\.(nest|sysc)/.test(key) && value !== 'false' ? [key] : [],
  );
  assert.deepEqual(inForce, ['limits.memory', 'limits.memory.enforce', 'limits.memory.swap']);
  assert.equal(after.config['security.nesting'], 'false');
  assert.equal(after.config['limits.memory'], '2GiB');
  assert.equal(after.devices['root']?.['size'], undefined);
  assert.equal(after.config['environment.TZ'], 'UTC');
  assert.doesNotMatch(await runInside(bed, after.name, 'df', '/tmp'), /tmpfs +65536 /);
  assert.equal(await runInside(bed, after.name, 'cat', '/data/file'), 'here\n');
  const written = await bed.incus.execCaptured(after.name, {
    command: ['sh', '-c', 'touch /data/no; touch /other/yes; ls /shown'],
  });
  assert.match(written.stderr.toString(), /\/data\/no.*Read-only/);
  assert.equal(written.stdout.toString(), '');
  assert.doesNotMatch(await runInside(bed, after.name, 'cat', '/proc/mounts'), / \/shown /);
  await leaveAgent(second);
  second.type('echo "<$COLOUR>"\r');
  await second.waitFor('<blue>');
  assert.deepEqual(
    JSON.parse(after.config['user.coi.mounts'] ?? '')
      .mounts.map(({ name, source }: { name: string; source: string }) => [name, source])
      .slice(-2),
    [
      ['mount-0', data],
      ['mount-1', other],
    ],
  );
  // Also if coid restores them itself.
  second.type('sudo poweroff\r');
  await second.ended(endMs);
  await bed.coid.crash();
  await bed.coid.start();
  const third = await startConversation(bed, ['--resume']);
  assert.equal(await runInside(bed, after.name, 'ls', '/other'), 'yes\n');
  await detach(third);
});

test('a mount that is refused stops the reuse, and the container is unchanged', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await powerOff(await startConversation(bed, ['--persistent']));
  const before = await onlyInstance(bed);
  for (const source of ['/etc', '/proc', bed.user.home]) {
    const { status, stderr } = await bed.coi([
      'shell',
      '--background',
      '--persistent',
      '--mount',
      `${source}:/given`,
    ]);
    assert.equal(status, 1, stderr);
    assert.match(stderr, new RegExp(`${source}`));
  }
  const after = await onlyInstance(bed);
  assert.deepEqual([after.status, after.devices], ['Stopped', before.devices]);
  const again = await startConversation(bed, ['--persistent', '--resume']);
  await detach(again);
});

test('--container joins a running container, starts a stopped one, and fails at once for a missing one', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const missing = await bed.coi(['shell', '--background', '--container', `${bed.prefix}none`]);
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /container "\S+none" not found/);
  assert.ok(missing.elapsedMs < 5000, `${missing.elapsedMs} ms`);
  const first = await startConversation(bed, ['--persistent']);
  await sendMessage(first, 'shared words');
  const { name } = await onlyInstance(bed);
  const joined = bed.screen(['shell', '--container', name, '--verbose']);
  await joined.waitFor(/You: shared words/, startMs);
  await leaveAgent(joined);
  joined.type('exit\r');
  await Promise.all([joined.ended(endMs), first.ended(endMs)]);
  const anew = bed.screen(['shell', '--container', name, '--resume', '--verbose']);
  await anew.waitFor(/> shared words/, startMs);
  await leaveAgent(anew);
  anew.type('sudo poweroff\r');
  await anew.ended(endMs);
  assert.match(anew.output(), /keeping it \(persistent\)/);
  const started = await bed.coi(['shell', '--background', '--container', name]);
  assert.equal(started.status, 0, started.stderr);
  assert.equal((await onlyInstance(bed)).status, 'Running');
});

test('slots: the lowest free one is used, a requested running one moves up with a notice, a persistent one comes first', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const start = async (...args: string[]) => {
    const { status, stderr } = await bed.coi([
      'shell',
      '--background',
      '--image',
      bed.image,
      ...args,
    ]);
    assert.equal(status, 0, stderr);
    return stderr;
  };
  const slots = async () => (await bed.instances()).map((name) => Number(/\d+$/.exec(name)));
  assert.match(await start('--slot', '2', '--persistent'), /^(?!.*is occupied)/);
  assert.match(await start(), /Auto-allocated slot 1/);
  assert.match(await start('--slot', '1'), /Slot 1 is occupied, using slot 3 instead/);
  assert.deepEqual(await slots(), [1, 2, 3]);
  const [, two = ''] = await bed.instances();
  await runInside(bed, two, 'sh', '-c', 'echo mine >/home/code/.own');
  await stopFromOutside(bed, two);
  assert.match(
    await start('--persistent'),
    new RegExp(`Reusing stopped persistent container ${two}`),
  );
  assert.deepEqual(await slots(), [1, 2, 3]);
  assert.equal(await runInside(bed, two, 'cat', '/home/code/.own'), 'mine\n');
  // Separate homes and processes, one workspace.
  const [one = '', , three = ''] = await bed.instances();
  const seen = await bed.incus.execCaptured(one, { command: ['ls', '/home/code/.own'] });
  assert.notEqual(seen.status, 0);
  await runInside(bed, one, 'touch', '/workspace/from-one');
  assert.equal(await runInside(bed, three, 'ls', '/workspace'), 'from-one\n');
});

test('tmux ends with exit, and attach opens a new one', { timeout }, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  await leaveAgent(first);
  first.type('exit\r');
  await first.ended(endMs);
  const again = bed.screen(['attach']);
  await again.waitFor(prompt, startMs);
  await detach(again);
});

function directory(bed: Bed, name: string): string {
  const path = `${bed.user.home}/${name}`;
  mkdirSync(path);
  chownSync(path, bed.user.uid, bed.user.gid);
  writeFileSync(`${path}/.keep`, '');
  return path;
}
