// Containers with the prefix that are not sessions: from `coi container launch` and from the Go program.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Config, CreateInstance } from '../../src/incus/shapes.ts';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;
const saved = '44444444-4444-4444-8444-444444444444';

interface Listed {
  readonly name: string;
  readonly ipv4: string;
  readonly persistent: boolean;
  readonly alias: string;
  readonly workspace?: string;
}

async function listContainers(bed: Bed, from: Bed = bed): Promise<Listed[]> {
  const result = await bed.coi(['list', '--json'], { env: { COI_CONTAINER_PREFIX: from.prefix } });
  assert.equal(result.status, 0, result.stderr);
  return (JSON.parse(result.stdout) as { active_containers: Listed[] }).active_containers;
}

const names = (rows: readonly Listed[]) => rows.map(({ name }) => name);

/** A container like those that the Go program creates. */
async function ofGoProgram(
  bed: Bed,
  slot: number,
  {
    workspace = bed.workspace.path,
    config = {},
    start = true,
  }: { workspace?: string; config?: Config; start?: boolean } = {},
): Promise<string> {
  const hash = createHash('sha256').update(workspace).digest('hex').slice(0, 8);
  const name = `${bed.prefix}${hash}-${slot}`;
  const request: CreateInstance = {
    name,
    type: 'container',
    start,
    profiles: ['default'],
    source: { type: 'image', alias: bed.image },
    config: { 'security.nesting': 'true', ...config },
    devices: { workspace: { type: 'disk', source: workspace, path: '/workspace', shift: 'true' } },
  };
  await (await bed.incus.createInstance(request)).wait();
  return name;
}

/** The Go program's record of its session. */
async function savedSession(bed: Bed, container: string, persistent: boolean): Promise<void> {
  const path = join(bed.user.home, '.coi/sessions-claude', saved, 'metadata.json');
  const { uid, gid } = bed.user;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(
    path,
    `{\n  "session_id": "${saved}",\n  "container_name": "${container}",\n  "persistent": ${persistent},\n  "workspace": "${bed.workspace.path}",\n  "saved_at": "2026-02-01T10:00:00+01:00"\n}\n`,
  );
  for (const one of ['', 'sessions-claude', `sessions-claude/${saved}`])
    await chown(join(bed.user.home, '.coi', one), uid, gid);
  await chown(path, uid, gid);
}

test("a container of the Go program belongs to its workspace's owner, and every command works on it", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await ofGoProgram(bed, 3, { config: { 'user.coi.alias': 'goes-on' } });
  await savedSession(bed, name, true);
  let row: Listed | undefined;
  // The bridge assigns its address shortly after the start.
  while (!row?.ipv4) [row] = await listContainers(bed);
  assert.match(row.ipv4, /^\d+(\.\d+){3}$/);
  const { alias, persistent, workspace } = row;
  assert.deepEqual(
    { alias, persistent, workspace },
    { alias: 'goes-on', persistent: true, workspace: bed.workspace.path },
  );
  for (const word of [[], ['goes-on'], ['goes-on-3'], [name]]) {
    const seen = await bed.coi(['monitor', '--json', ...word]);
    assert.equal(seen.status, 0, `${word}: ${seen.stderr}`);
    const { container_ip, processes } = JSON.parse(seen.stdout);
    assert.equal(container_ip, row.ipv4);
    assert.ok(processes.processes.some(({ user }: { user: string }) => user === 'root'));
  }
  const top = await bed.coi(['top', '--json']);
  assert.ok(top.stdout.includes(name), top.stdout);

  await using other = await makeBed();
  const env = { COI_CONTAINER_PREFIX: bed.prefix };
  assert.deepEqual(names(await listContainers(other, bed)), []);
  for (const line of [
    ['kill', name],
    ['kill', '--force', name],
    ['shutdown', name],
    ['persist', name],
    ['clean', name],
    ['monitor', name],
    ['attach', name],
    ['container', 'delete', '--force', name],
    ['container', 'exec', name, '--', 'true'],
  ]) {
    const result = await other.coi(line, { env });
    assert.equal(result.status, 1, line.join(' '));
    assert.match(result.stderr, /not found|nothing named/, line.join(' '));
  }
  const nothing = await other.coi(['kill', '--all', '--force'], { env });
  assert.equal(nothing.stdout, 'No containers to Kill\n');
  const all = await other.coi(['container', 'list', '--json'], { env });
  assert.ok(!all.stdout.includes(name));
  assert.deepEqual(await bed.instances(), [name]);

  await (await bed.incus.changeState(name, { action: 'freeze' })).wait();
  assert.equal((await bed.coi(['unfreeze', 'goes-on'])).status, 0);
  const ended = await bed.coi(['shutdown', '--all', '--force', '--timeout', '30']);
  assert.equal(ended.status, 0, ended.stderr);
  assert.match(ended.stdout, /Shutdown 1 container\(s\)/);
  assert.deepEqual(await bed.instances(), []);
});

test('coi container launch makes its caller the owner, and kill --all ends only containers with the prefix', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using other = await makeBed();
  const [mine, theirs] = [`${bed.prefix}mine`, `${other.prefix}theirs`];
  for (const [who, name] of [
    [bed, mine],
    [other, theirs],
  ] as const)
    assert.equal((await who.coi(['container', 'launch', who.image, name])).status, 0);
  const { instance } = (await bed.incus.instance(mine)) ?? {};
  assert.equal(instance?.config['user.coi.owner'], String(bed.user.uid));
  assert.deepEqual(names(await listContainers(bed)), [mine]);
  assert.deepEqual(names(await listContainers(other, bed)), []);
  const refused = await other.coi(['container', 'stop', '--force', mine]);
  assert.equal(refused.status, 1);
  const result = await bed.coi(['kill', '--all'], { input: 'y\n' });
  assert.equal(result.status, 0, result.stderr);
  assert.ok(result.stdout.startsWith(`Found 1 container(s):\n  - ${mine}\n`), result.stdout);
  assert.deepEqual([await bed.instances(), await other.instances()], [[], [theirs]]);
});

test('clean removes a stopped adopted container unless it is persistent or of unknown kind', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [gone, kept] = [`${bed.prefix}gone`, `${bed.prefix}kept`];
  for (const name of [gone, kept])
    assert.equal((await bed.coi(['container', 'launch', bed.image, name])).status, 0);
  const persisted = await bed.coi(['persist', kept]);
  assert.deepEqual(
    [persisted.status, persisted.stderr, persisted.stdout],
    [0, '', `✓ Persisted ${kept}\n\nPersisted 1 container(s)\n`],
  );
  for (const name of [gone, kept])
    assert.equal((await bed.coi(['container', 'stop', '--force', name])).status, 0);
  const unsaid = await ofGoProgram(bed, 1, { start: false });
  const ephemeral = await ofGoProgram(bed, 2, { start: false });
  await savedSession(bed, ephemeral, false);
  const result = await bed.coi(['clean', '--force']);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /✓ Cleaned 2 item\(s\)/);
  assert.deepEqual(await bed.instances(), [unsaid, kept].sort());
  const bare = await bed.coi(['persist']);
  assert.match(bare.stdout, new RegExp(`✓ Persisted ${unsaid}`), bare.stderr);
  const rest = await bed.coi(['clean', '--all', '--force']);
  assert.match(rest.stdout, /✓ Cleaned 2 item\(s\)/);
});

test('a container without an owner is listed only for root, and users who name it are asked', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using root = await makeBed({ who: 'root' });
  const env = { COI_CONTAINER_PREFIX: bed.prefix };
  const lost = await mkdtemp(join(tmpdir(), 'coi-lost-'));
  const name = await ofGoProgram(bed, 1, {
    workspace: lost,
    config: { 'user.coi.alias': 'lost' },
    start: false,
  });
  await rm(lost, { recursive: true });
  assert.deepEqual(
    [names(await listContainers(bed)), names(await listContainers(root, bed))],
    [[], [name]],
  );
  assert.equal((await bed.coi(['kill', '--all', '--force'])).stdout, 'No containers to Kill\n');
  assert.equal((await bed.coi(['clean', '--all', '--force'])).stdout, 'Nothing to clean.\n');
  assert.equal((await bed.coi(['kill', 'lost'])).status, 1);
  const answer = await bed.coi(['kill', name]);
  assert.deepEqual(
    [answer.status, answer.stdout],
    [0, `Found 1 container(s):\n  - ${name} (lost) (persistent) (no owner)\nCancelled.\n`],
  );
  const listing = await root.coi(['kill', '--all'], { env });
  assert.match(listing.stdout, new RegExp(`- ${name} .*no owner`));
  assert.deepEqual(await bed.instances(), [name]);
  const result = await bed.coi(['kill', name], { input: 'y\n' });
  assert.equal(result.status, 0, result.stderr);
  assert.deepEqual(await bed.instances(), []);
});
