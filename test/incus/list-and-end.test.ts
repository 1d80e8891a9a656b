// coi list, kill and shutdown through the built program, on sessions of an ordinary user.
import assert from 'node:assert/strict';
import { chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 120_000;
/** Limits for `coi kill` and `coi shutdown` here, on a busy machine; the real budget is in the bench. */
const endMs = 20_000;

async function startInBackground(bed: Bed): Promise<string> {
  const before = new Set(await bed.instances());
  const output = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(output.status, 0, output.stderr);
  const [name] = (await bed.instances()).filter((one) => !before.has(one));
  assert.ok(name);
  return name;
}

async function withAlias(bed: Bed, alias: string): Promise<void> {
  const directory = join(bed.workspace.path, '.coi');
  await mkdir(directory);
  await writeFile(join(directory, 'config.toml'), `[container]\nalias = "${alias}"\n`);
  await chown(directory, bed.user.uid, bed.user.gid);
}

/** Its init receives the shutdown signal and ignores it; SIGHUP makes it reload its units, with or without its bus. */
async function ignoreShutdown(bed: Bed, name: string): Promise<void> {
  const script =
    'cd /run/systemd/system && ln -sf /dev/null halt.target && ln -sf /dev/null poweroff.target && kill -HUP 1';
  const { status, stderr } = await bed.incus.execCaptured(name, { command: ['sh', '-c', script] });
  assert.equal(status, 0, String(stderr));
}

async function listSessions(bed: Bed, ...args: string[]) {
  const output = await bed.coi(['list', '--json', ...args]);
  assert.equal(output.status, 0, output.stderr);
  return JSON.parse(output.stdout) as {
    active_containers: Record<string, unknown>[];
    saved_sessions?: { ID: string; Workspace: string }[];
  };
}

test("list shows a session's address, alias and workspace, and no other user's secrets", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await withAlias(bed, 'bed-alias');
  const name = await startInBackground(bed);
  const { instance } = (await bed.incus.instance(name)) ?? {};
  const address = instance?.devices['eth0']?.['ipv4.address'];
  assert.match(address ?? '', /^\d+(\.\d+){3}$/);
  const text = await bed.coi(['list']);
  assert.ok(
    text.stdout.startsWith(
      `Active Containers:\n------------------\n  ${name} (bed-alias) (ephemeral)\n    Status: Running\n    IPv4: ${address}\n`,
    ),
    text.stdout,
  );
  assert.ok(text.stdout.includes(`    Workspace: ${bed.workspace.path}\n`));
  const [only] = (await listSessions(bed)).active_containers;
  assert.deepEqual(only, {
    name,
    status: 'Running',
    created_at: instance?.created_at,
    image: instance?.config['image.description'],
    persistent: false,
    ipv4: address,
    pool: 'default',
    alias: 'bed-alias',
    workspace: bed.workspace.path,
    published_ports: [],
    ephemeral: true,
    state: 'running',
    attached: false,
    last_attached: null,
    attention: { status: 'unknown', why: 'starting', asks: [], unseen: false },
    session_id: instance?.config['user.coi.session'],
    slot: 1,
    tool: 'claude',
    mode: 'restricted',
    profile: '',
  });
  assert.deepEqual((await listSessions(bed, '--stopped')).active_containers, []);
  await using other = await makeBed();
  const foreign = await other.coi(['list'], { env: { COI_CONTAINER_PREFIX: bed.prefix } });
  assert.ok(!foreign.stdout.includes(name));
  const killing = await other.coi(['kill', name], { env: { COI_CONTAINER_PREFIX: bed.prefix } });
  assert.equal(killing.status, 1);
  assert.deepEqual(await bed.instances(), [name]);
});

test('kill ends a session by alias and slot, then all; conversations are kept and can be resumed', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await withAlias(bed, 'bed-kill');
  const [one, two, three] = [
    await startInBackground(bed),
    await startInBackground(bed),
    await startInBackground(bed),
  ];
  const ambiguous = await bed.coi(['kill', 'bed-kill']);
  assert.equal(ambiguous.status, 1);
  assert.match(ambiguous.stderr, /matches 3 containers/);
  const first = await bed.coi(['kill', 'bed-kill-2'], { limitMs: endMs });
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, new RegExp(`✓ Killed ${two}\n`));
  assert.deepEqual(await bed.instances(), [one, three]);
  const unanswered = await bed.coi(['kill', '--all']);
  assert.match(unanswered.stdout, /Found 2 container\(s\):[\s\S]*Cancelled\./);
  assert.deepEqual(await bed.instances(), [one, three]);
  const rest = await bed.coi(['kill', '--all', '--force'], { limitMs: endMs });
  assert.equal(rest.status, 0, rest.stderr);
  assert.match(rest.stdout, /Killed 2 container\(s\)/);
  assert.deepEqual(await bed.instances(), []);
  const saved = (await listSessions(bed, '--all')).saved_sessions ?? [];
  assert.deepEqual(
    saved.map(({ Workspace }) => Workspace),
    [1, 2, 3].map(() => bed.workspace.path),
  );
  const again = await bed.coi(['kill', one]);
  assert.equal(again.status, 1);
});

test('kill --all asks on stdin, and y confirms', { timeout }, async () => {
  await using bed = await makeBed();
  const name = await startInBackground(bed);
  const output = await bed.coi(['kill', '--all'], { input: 'y\n', limitMs: endMs });
  assert.equal(output.status, 0, output.stderr);
  assert.match(output.stderr, /\[y\/N\]/);
  assert.match(output.stdout, new RegExp(`✓ Killed ${name}`));
  assert.deepEqual(await bed.instances(), []);
});

test('shutdown of a new session is graceful, and its conversation is on disk', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await startInBackground(bed);
  const output = await bed.coi(['shutdown', name], { limitMs: endMs });
  assert.equal(output.status, 0, output.stderr);
  assert.equal(
    output.stdout,
    `Shutting down container ${name} (timeout: 60s)...\n✓ Shutdown ${name}\n\nShutdown 1 container(s)\n`,
  );
  assert.deepEqual(await bed.instances(), []);
  const [stored] = (await listSessions(bed, '--all')).saved_sessions ?? [];
  const store = join(bed.user.home, '.coi');
  const kept = (await readdir(store, { recursive: true })).filter((path) =>
    path.includes(stored?.ID ?? 'none'),
  );
  assert.ok(kept.length > 1, kept.join(' '));
});

test('shutdown uses force after the limit, and at once for a paused session', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [stubborn, paused] = [await startInBackground(bed), await startInBackground(bed)];
  assert.equal((await bed.coi(['persist', paused])).status, 0);
  await ignoreShutdown(bed, stubborn);
  await (await bed.incus.changeState(paused, { action: 'freeze' })).wait();
  const output = await bed.coi(['close', '--timeout', '2', '-f', stubborn, paused], {
    limitMs: endMs,
  });
  assert.equal(output.status, 0, output.stderr);
  assert.match(
    output.stdout,
    new RegExp(`Timeout reached, force-killing\\.\\.\\. \\(${stubborn}\\)`),
  );
  assert.match(output.stdout, new RegExp(`${paused} is paused, force-killing`));
  assert.deepEqual(output.stdout.match(/^\S+ was persistent/gm), [`${paused} was persistent`]);
  assert.match(output.stdout, /Shutdown 2 container\(s\)/);
  assert.deepEqual(await bed.instances(), []);
});

test('an interrupted shutdown leaves a running session as it was', { timeout }, async () => {
  await using bed = await makeBed();
  const name = await startInBackground(bed);
  await ignoreShutdown(bed, name);
  const events = bed.incus.events(['operation']);
  await events.ready;
  const stopping = bed.startCoi(['shutdown', name]);
  for await (const event of events) {
    if (event.type === 'operation' && event.metadata.description === 'Stopping instance') break;
  }
  stopping.kill('SIGINT');
  const output = await stopping.result;
  assert.equal(output.status, 130, output.stderr);
  const { instance } = (await bed.incus.instance(name)) ?? {};
  assert.equal(instance?.status, 'Running');
  assert.equal(instance?.ephemeral, false);
});
