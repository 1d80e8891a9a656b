// coi snapshot and coi fork through the built program: container and conversation are copied together.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Config } from '../../src/incus/shapes.ts';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;

async function startInBackground(bed: Bed, ...flags: string[]): Promise<string> {
  const result = await bed.coi(['shell', '--background', '--image', bed.image, ...flags]);
  assert.equal(result.status, 0, result.stderr);
  const [name] = await bed.instances();
  assert.ok(name);
  return name;
}

/** Marks the container's disk and the agent's state. */
async function mark(bed: Bed, name: string, word: string): Promise<void> {
  const script = `echo ${word} >/etc/mark; su code -c 'echo ${word} >~/.claude/mark'`;
  const result = await bed.coi(['container', 'exec', name, '--', 'sh', '-c', script]);
  assert.equal(result.status, 0, result.stderr);
}

async function readMarks(bed: Bed, name: string): Promise<string> {
  const result = await bed.coi([
    'container',
    'exec',
    name,
    '--',
    'cat',
    '/etc/mark',
    '/home/code/.claude/mark',
  ]);
  assert.equal(result.status, 0, result.stderr);
  return result.stdout;
}

/** Session ids in the store. */
const stores = (bed: Bed) => readdir(join(bed.user.home, '.coi/sessions-claude'));

test('restoring a snapshot of a running session restores disk and conversation together', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await startInBackground(bed, '--persistent');
  await mark(bed, name, 'before');
  const taken = await bed.coi(['snapshot', 'create', 'one']);
  assert.equal(taken.status, 0, taken.stderr);
  assert.equal(taken.stdout, '');
  assert.equal((await bed.incus.instance(name))?.instance.status, 'Running');
  assert.equal((await bed.coi(['snapshot', 'create', 'one'])).status, 1);
  assert.equal((await bed.coi(['snapshot', 'create', '../x'])).status, 2);
  await mark(bed, name, 'after');
  const early = await bed.coi(['snapshot', 'restore', 'one', '-f']);
  assert.equal(early.status, 1);
  assert.match(early.stderr, /must be stopped[\s\S]*coi container stop/);
  assert.equal((await bed.coi(['container', 'stop', name, '-f'])).status, 0);
  assert.match(
    (await bed.coi(['snapshot', 'restore', 'none', '-f'])).stderr,
    /snapshot 'none' not found for container/,
  );
  const declined = await bed.coi(['snapshot', 'restore', 'one'], { input: 'n\n' });
  assert.match(declined.stderr, /Aborted/);
  const restored = await bed.coi(['snapshot', 'restore', 'one'], { input: 'yes\n' });
  assert.match(restored.stderr, new RegExp(`Restored container '${name}' from snapshot 'one'`));
  const [id = ''] = await stores(bed);
  const store = join(bed.user.home, '.coi/sessions-claude', id, '.claude');
  assert.equal(await readFile(join(store, 'mark'), 'utf8'), 'before\n');
  assert.deepEqual(
    (await readdir(store)).filter((entry) => entry.startsWith('.coi-')),
    [],
  );
  assert.equal((await bed.coi(['container', 'start', name])).status, 0);
  assert.equal(await readMarks(bed, name), 'before\nbefore\n');
});

test('snapshots can be listed, shown and deleted; a container can be named in three ways', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  assert.equal((await bed.coi(['snapshot', 'list'])).status, 1);
  assert.equal((await bed.coi(['snapshot', 'list', '--all'])).status, 0);
  const name = await startInBackground(bed);
  assert.match(
    (await bed.coi(['snapshot', 'list'])).stdout,
    /\n {2}\(none\)\n\nTotal: 0 snapshots\n$/,
  );
  const made = await bed.coi(['snapshot', 'create', '-c', name]);
  assert.match(made.stderr, /Created snapshot 'snap-\d{8}-\d{6}'/);
  const listed = await bed.coi(['snapshot', 'list'], { cwd: '/', env: { COI_CONTAINER: name } });
  assert.match(
    listed.stdout,
    new RegExp(
      `^Snapshots for ${name}:\n\nNAME +CREATED +STATEFUL\nsnap-[-\\d]+ +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d +no\n\nTotal: 1 snapshot\n$`,
    ),
  );
  const json = JSON.parse((await bed.coi(['snapshot', 'list', '--json'])).stdout);
  assert.equal(json.container, name);
  assert.deepEqual(Object.keys(json.snapshots[0]), ['name', 'created_at', 'stateful']);
  const all = JSON.parse((await bed.coi(['snapshot', 'list', '--all', '--json'])).stdout);
  assert.deepEqual(Object.keys(all), [name]);
  const info = await bed.coi(['snapshot', 'info', json.snapshots[0].name]);
  assert.match(
    info.stdout,
    new RegExp(`^Snapshot: snap-.*\nContainer: ${name}\nCreated: .*\nStateful: no\n$`),
  );
  assert.equal((await bed.coi(['snapshot', 'delete'])).status, 2);
  assert.equal((await bed.coi(['snapshot', 'delete', '--all', '-f'])).status, 0);
  const none = await bed.coi(['snapshot', 'delete', '--all', '-f']);
  assert.equal(none.status, 0);
  assert.match(none.stderr, /No snapshots to delete/);
  const { instance } = (await bed.incus.instance(name)) ?? {};
  assert.equal(instance?.config['user.coi.persistent'], 'false', 'a snapshot changes no session');
});

test('a fork has a copy of disk and conversation and its own identity, and the original keeps running', {
  timeout,
}, async (t) => {
  await using bed = await makeBed();
  const original = await startInBackground(bed);
  await mark(bed, original, 'shared');
  const before = (await bed.incus.instance(original))?.instance;
  const result = await bed.coi(['fork', '--background']);
  t.diagnostic(`fork took ${Math.round(result.elapsedMs)} ms`);
  assert.equal(result.status, 0, result.stderr);
  const [first, second = ''] = await bed.instances();
  assert.equal(first, original);
  assert.match(result.stderr, new RegExp(`Forked ${original} to ${second}`));
  assert.equal(await readMarks(bed, second), 'shared\nshared\n');
  await mark(bed, second, 'forked');
  assert.equal(await readMarks(bed, original), 'shared\nshared\n');
  const after = (await bed.incus.instance(original))?.instance;
  assert.equal(after?.status, 'Running');
  // coid sets the phase once it sees the container alive.
  const own = (config: Config | undefined) => ({ ...config, 'user.coi.phase': '' });
  assert.deepEqual(own(after?.config), own(before?.config));
  const made = (await bed.incus.instance(second))?.instance;
  for (const key of ['user.coi.session', 'user.coi.slot', 'raw.lxc', 'user.coi.mounts'])
    assert.notEqual(made?.config[key], before?.config[key], key);
  assert.notEqual(
    made?.devices['eth0']?.['ipv4.address'],
    before?.devices['eth0']?.['ipv4.address'],
  );
  assert.equal((await stores(bed)).length, 2);
  const sessions = JSON.parse((await bed.coi(['tmux', 'list', '--json'])).stdout) as unknown[];
  assert.equal(sessions.length, 2);
  const third = await bed.coi(['fork', second, '--slot', '5']);
  assert.equal(third.status, 0, third.stderr);
  assert.match(third.stderr, /^Without a terminal it runs .* Attach: coi attach \S+-5$/m);
  assert.ok((await bed.instances()).some((one) => one.endsWith('-5')));
  const several = await bed.coi(['fork', '--background']);
  assert.equal(several.status, 1);
  assert.match(several.stderr, /this workspace has 3 containers/);
});
