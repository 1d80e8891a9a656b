// Goal: [security] secret_paths apply in every mount that a project or the command line requests, however the container
// was started.
// Method: the built program with a project that mounts its own directory twice; the control has no secret_paths.
import assert from 'node:assert/strict';
import { chown, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;
const secret = 'the-secret-of-this-test';
const hiding = '[security]\nsecret_paths = [".env"]\n';
/** Needs no approval: a project may mount its own directories. */
const project = `
[[mounts.default]]
host = "."
container = "/again"
[[mounts.default]]
host = "."
container = "/read"
readonly = true
`;
let bed: Bed;

before(async () => {
  bed = await makeBed({ git: true });
  await writeAsUser(join(bed.workspace.path, '.env'), `${secret}\n`);
  await writeAsUser(join(bed.workspace.path, '.coi/config.toml'), project);
});
after(() => bed?.[Symbol.asyncDispose]());

test('a forked, restarted or restored container hides secret paths in every mount; without secret_paths it does not', {
  timeout,
}, async () => {
  const first = await bed.coi(['shell', '--persistent', '--background', '--image', bed.image]);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stderr, /is read-only at \/read, but the same files can be written at/);
  const [name = ''] = await bed.instances();
  // Control.
  assert.equal(await readSecrets(name), `${secret}\n`.repeat(3));
  assert.equal((await bed.coi(['snapshot', 'create', 'open'])).status, 0);
  await stopContainer(name);
  await writeAsUser(join(bed.user.home, '.coi/config.toml'), hiding);
  await mustStart(['shell', '--persistent', '--background', '--image', bed.image, '--resume']);
  assert.equal(await readSecrets(name), '', 'started again with secret_paths');
  await mustStart(['fork', '--background']);
  const fork = (await bed.instances()).find((one) => one !== name) ?? '';
  assert.equal(await readSecrets(fork), '', 'forked');
  await stopContainer(name);
  await mustStart(['container', 'start', name]);
  assert.equal(await readSecrets(name), '', 'stopped and started');
  await stopContainer(name);
  await mustStart(['snapshot', 'restore', '-c', name, 'open', '-f']);
  await mustStart(['container', 'start', name]);
  assert.equal(await readSecrets(name), '', 'restored from a snapshot of before');
});

test('coi run hides secret paths in every mount, and mounts that cannot be covered are refused', {
  timeout,
}, async () => {
  const reading = ['--', 'sh', '-c', 'cat /workspace/.env /again/.env /read/.env'];
  await writeAsUser(join(bed.user.home, '.coi/config.toml'), hiding);
  const hidden = await bed.coi(['run', '--image', bed.image, ...reading]);
  assert.deepEqual([hidden.status, hidden.stdout], [0, ''], hidden.stderr);
  await writeAsUser(join(bed.workspace.path, 'keys/one'), `${secret}\n`);
  await writeAsUser(
    join(bed.user.home, '.coi/config.toml'),
    '[security]\nsecret_paths = [".env", "keys"]\n',
  );
  const keys = await bed.coi(['run', '--image', bed.image, '--mount', 'keys:/keys', '--', 'true']);
  assert.match(keys.stderr, /keys" shows "keys", which is hidden[\s\S]*Remove this mount/);
  const name = (await bed.instances())[0] ?? '';
  const mounting = ['container', 'mount', name, 'more', bed.workspace.path, '/more'];
  const mounted = await bed.coi(mounting);
  assert.match(mounted.stderr, /shows "\.env", which is hidden/);
});

async function readSecrets(container: string): Promise<string> {
  const { stdout } = await bed.incus.execCaptured(container, {
    command: ['sh', '-c', 'cat /workspace/.env /again/.env /read/.env'],
    user: 1000,
    group: 1000,
  });
  return stdout.toString();
}

async function mustStart(args: readonly string[]): Promise<void> {
  const result = await bed.coi(args);
  assert.equal(result.status, 0, result.stderr);
}

async function stopContainer(name: string): Promise<void> {
  await mustStart(['container', 'stop', name, '-f']);
}

async function writeAsUser(path: string, text: string): Promise<void> {
  await bed.user.run(['mkdir', '-p', dirname(path)]);
  await writeFile(path, text);
  await chown(path, bed.user.uid, bed.user.gid);
}
