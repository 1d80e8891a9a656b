// Goal: [security] secret_paths hold in every mount that a project or the command line asks for, however the machine came up.
// Method: the built program with a project that mounts its own directory twice; the same without secret_paths shows all.
import assert from 'node:assert/strict';
import { chown, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;
const secret = 'the-secret-of-this-test';
const hiding = '[security]\nsecret_paths = [".env"]\n';
/** All of it without trust: a project may mount what lies in it. */
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
  await mine(join(bed.workspace.path, '.env'), `${secret}\n`);
  await mine(join(bed.workspace.path, '.coi/config.toml'), project);
});
after(() => bed?.[Symbol.asyncDispose]());

test('a machine that is forked, stopped and started, or restored from an older snapshot hides what the configuration hides, in every mount; without secret_paths every mount shows it', {
  timeout,
}, async () => {
  const first = await bed.coi(['shell', '--persistent', '--background', '--image', bed.image]);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stderr, /is read-only at \/read, but the same files can be written at/);
  const [name = ''] = await bed.instances();
  // The control.
  assert.equal(await shown(name), `${secret}\n`.repeat(3));
  assert.equal((await bed.coi(['snapshot', 'create', 'open'])).status, 0);
  await stopped(name);
  await mine(join(bed.user.home, '.coi/config.toml'), hiding);
  await started(['shell', '--persistent', '--background', '--image', bed.image, '--resume']);
  assert.equal(await shown(name), '', 'started again with secret_paths');
  await started(['fork', '--background']);
  const fork = (await bed.instances()).find((one) => one !== name) ?? '';
  assert.equal(await shown(fork), '', 'forked');
  await stopped(name);
  await started(['container', 'start', name]);
  assert.equal(await shown(name), '', 'stopped and started');
  await stopped(name);
  await started(['snapshot', 'restore', '-c', name, 'open', '-f']);
  await started(['container', 'start', name]);
  assert.equal(await shown(name), '', 'restored from a snapshot of before');
});

test('coi run hides it in every mount; --mount of what cannot be covered and coi container mount are refused', {
  timeout,
}, async () => {
  const reading = ['--', 'sh', '-c', 'cat /workspace/.env /again/.env /read/.env'];
  await mine(join(bed.user.home, '.coi/config.toml'), hiding);
  const hidden = await bed.coi(['run', '--image', bed.image, ...reading]);
  assert.deepEqual([hidden.status, hidden.stdout], [0, ''], hidden.stderr);
  await mine(join(bed.workspace.path, 'keys/one'), `${secret}\n`);
  await mine(
    join(bed.user.home, '.coi/config.toml'),
    '[security]\nsecret_paths = [".env", "keys"]\n',
  );
  const keys = await bed.coi(['run', '--image', bed.image, '--mount', 'keys:/keys', '--', 'true']);
  assert.match(keys.stderr, /keys" shows "keys", which is hidden[\s\S]*Leave this mount out/);
  const name = (await bed.instances())[0] ?? '';
  const mounting = ['container', 'mount', name, 'more', bed.workspace.path, '/more'];
  const mounted = await bed.coi(mounting);
  assert.match(mounted.stderr, /shows "\.env", which is hidden/);
});

async function shown(container: string): Promise<string> {
  const { stdout } = await bed.incus.execCaptured(container, {
    command: ['sh', '-c', 'cat /workspace/.env /again/.env /read/.env'],
    user: 1000,
    group: 1000,
  });
  return stdout.toString();
}

async function started(args: readonly string[]): Promise<void> {
  const said = await bed.coi(args);
  assert.equal(said.status, 0, said.stderr);
}

async function stopped(name: string): Promise<void> {
  await started(['container', 'stop', name, '-f']);
}

async function mine(path: string, text: string): Promise<void> {
  await bed.user.run(['mkdir', '-p', dirname(path)]);
  await writeFile(path, text);
  await chown(path, bed.user.uid, bed.user.gid);
}
