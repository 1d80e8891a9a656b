// Goal: invalid requests end with one clear sentence, a hint and the right status, and leave nothing behind.
// Method: the built program as an ordinary user; lists of instances, interfaces, mounts, tables and files before and after.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { protocolHeader } from '../../src/coid-api/protocol.ts';
import { type WorkspacePath, workspaceHash } from '../../src/names.ts';
import { type Bed, makeBed } from '../bed/bed.ts';
import { type CommandResult, mustRun } from '../bed/command.ts';
import { Lifecycle } from '../bed/events.ts';
import { openRelay } from '../bed/incus-relay.ts';
import { leftovers, takeInventory } from '../bed/leftovers.ts';
import { untilUnmounted } from '../bed/mounts.ts';
import { coiPath } from '../bed/program.ts';
import { untilGone } from '../bed/until.ts';
import { makeUser } from '../bed/users.ts';

const timeout = 180_000;
/** Longer than a start takes until Incus has its request, even on a busy machine. */
const leaseMs = 4000;

/** Checks the status, one matching line `Error: …`, one line `Hint: …`, and no mention of a bug. */
function refused(result: CommandResult, status: number, sentence: RegExp, line: string): void {
  const reported = `${line}\n${result.stdout}${result.stderr}`;
  assert.equal(result.status, status, reported);
  assert.equal(result.stdout, '', reported);
  const errors = result.stderr.split('\n').filter((text) => text.startsWith('Error: '));
  assert.equal(errors.length, 1, reported);
  assert.match(errors[0] ?? '', sentence, reported);
  assert.match(result.stderr, /\nHint: \S.+\n$/, reported);
  assert.doesNotMatch(result.stderr, /bug in coi|undefined|^\s+at /m, reported);
}

function inventory(bed: Bed) {
  return takeInventory(bed.incus, {
    prefix: bed.prefix,
    runDir: bed.coid.runDir,
    directories: [bed.user.home, bed.workspace.path],
    ignore: /\/\.cache(\/|$)/,
  });
}

/** A directory that coi accepts as coid's, with a daemon of a future version. */
async function coidOfTomorrow(undo: AsyncDisposableStack): Promise<string> {
  const directory = undo.adopt(await mkdtemp('/tmp/coit-tomorrow-'), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  await mustRun(['chmod', '755', directory]);
  const server = undo.adopt(createServer(), (one) => {
    one.close();
    one.closeAllConnections();
  });
  server.on('request', (_, response) => {
    response.setHeader(protocolHeader, '9999').end('{}');
  });
  server.listen(join(directory, 'coid.sock'));
  await once(server, 'listening');
  await mustRun(['chmod', '666', join(directory, 'coid.sock')]);
  return directory;
}

test('invalid input and missing objects end in one sentence and leave nothing', {
  timeout,
}, async () => {
  await using undo = new AsyncDisposableStack();
  await using bed = await makeBed();
  const own = bed.workspace.path;
  const closed = undo.adopt(await mkdtemp('/tmp/coit-closed-'), (path) =>
    rm(path, { recursive: true }),
  );
  await writeFile(join(own, 'file'), '');
  await mkdir(join(own, 'mine'));
  await mkdir(join(bed.user.home, '.coi/sessions-claude'), { recursive: true });
  await mustRun(['chown', '-R', `${bed.user.uid}`, join(bed.user.home, '.coi')]);
  const hash = workspaceHash(own as WorkspacePath);
  await bed.incus
    .createInstance({
      name: `${bed.prefix}${hash}-10`,
      type: 'container',
      source: { type: 'none' },
    })
    .then((made) => made.wait());
  const long = 'x'.repeat(300);
  const start = ['shell', '--background', '--image', bed.image];
  const cases: readonly (readonly [
    args: string[],
    status: number,
    sentence: RegExp,
    env?: Record<string, string>,
  ])[] = [
    [['list'], 1, /Incus is not running/, { INCUS_SOCKET: '/nonexistent' }],
    [start, 1, /Incus is not running/, { INCUS_SOCKET: '/nonexistent' }],
    [start, 1, /coid, the coi daemon, is not running/, { COI_RUN_DIR: '/run/coi-nowhere' }],
    [start, 1, /coid speaks protocol version 9999/, { COI_RUN_DIR: await coidOfTomorrow(undo) }],
    [['run', '--image', 'no-such', '--', 'true'], 125, /image 'no-such' not found/],
    [[...start, '--workspace', '/nonexistent'], 1, /workspace "\/nonexistent" does not exist/],
    [[...start, '--workspace', join(own, 'file')], 1, /is not a directory/],
    [[...start, '--workspace', closed], 1, /cannot be read by this user/],
    [[...start, '--workspace', 'a\nb'], 1, /invalid workspace "a\\nb"/],
    [[...start, '--workspace', '/'], 1, /cannot be a workspace/],
    [[...start, '--slot', '100'], 2, /slots go from 1 to 99/],
    [[...start, '--slot', '-1'], 2, /slots go from 1 to 99/],
    [[...start, '--slot', '10'], 1, /slot/],
    [[...start, '--env', 'NO-NAME'], 2, /the format is NAME or NAME=value/],
    [[...start, '--mount', '/nonexistent:/data'], 1, /mount source \/nonexistent does not exist/],
    [[...start, '--mount', `${own}/mine:/proc`], 1, /would hide the container's own files/],
    [[...start, '--mount', `${closed}:/data`], 1, /cannot be read by this user/],
    [
      ['run', '--image', bed.image, '--mount', `${closed}:/data`, '--', 'true'],
      125,
      /cannot be read/,
    ],
    [[...start, '--image', '../x'], 2, /invalid image name/],
    [[...start, '--profile', '../x'], 1, /profile '\.\.\/x' not found/],
    [[...start, '--profile', 'a\nb'], 1, /profile 'a\\nb' not found/],
    [[...start, '--tool', long], 1, /unknown tool "x+\.\.\."/],
    [[...start, '--resume=../../x'], 2, /invalid session id/],
    [[...start, '--container', '../x'], 1, /container "\.\.\/x" not found/],
    [['shell', '--background', 'a\nb'], 1, /invalid alias "a\\nb"/],
    [['shell', '--background', long], 1, /invalid alias/],
    [['kill', '../x'], 1, /container "\.\.\/x" not found/],
    [['shutdown', 'a\nb'], 1, /container "a\\nb" not found/],
    [['kill', long], 1, /container "x+\.\.\." not found/],
    [['info', '../../etc'], 1, /session not found: \.\.\/\.\.\/etc/],
    [['audit', 'never-was'], 1, /container "never-was" not found/],
    [['list'], 2, /invalid COI_CONTAINER_PREFIX/, { COI_CONTAINER_PREFIX: '../x' }],
  ];
  const before = await inventory(bed);
  for (const [args, status, sentence, env] of cases) {
    const result = await bed.coi(args, env ? { env } : {});
    refused(result, status, sentence, `coi ${args.join(' ')}`);
  }
  const stranger = undo.adopt(await makeUser({ incusAdmin: false }), (user) => user.remove());
  for (const args of [['list'], start, ['run', '--', 'true']]) {
    const result = await stranger.run([coiPath(), ...args], { cwd: stranger.home, env: bed.env });
    const status = args[0] === 'run' ? 125 : 1;
    refused(result, status, /may not talk to Incus/, `coi ${args.join(' ')}`);
  }
  assert.deepEqual(leftovers(before, await inventory(bed)), []);
});

test('when Incus dies during a start, the result is managed as usual or undone by coid', {
  timeout,
}, async () => {
  await using bed = await makeBed({ coidEnv: { COI_LEASE_MS: String(leaseMs) } });
  const before = await inventory(bed);
  for (const delivered of [false, true]) {
    using lifecycle = await Lifecycle.open(bed.incus);
    await using relay = await openRelay('POST /1.0/instances HTTP', { delivered });
    const result = await bed.coi(['run', '--image', bed.image, '--', 'true'], {
      env: { INCUS_SOCKET: relay.socketPath },
    });
    refused(result, 125, /starting the container failed: the connection to Incus was lost/, 'run');
    if (delivered) await lifecycle.first('instance-created', bed.prefix);
    const [name] = await bed.instances();
    assert.equal(name !== undefined, delivered);
    if (name !== undefined) {
      assert.match((await bed.coi(['list'])).stdout, new RegExp(name));
      const killed = await bed.coi(['kill', name]);
      assert.equal(killed.status, 0, killed.stderr);
      await untilGone(bed.incus, name, 30_000);
    }
    await untilUnmounted(bed.coid.runDir);
    assert.deepEqual(leftovers(before, await inventory(bed)), []);
  }
});

test('when Incus dies under an open terminal, coi says that nothing was changed, and the session continues', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using relay = await openRelay();
  const screen = bed.screen(['shell', '--image', bed.image], {
    env: { INCUS_SOCKET: relay.socketPath },
  });
  await screen.waitFor('You:');
  relay.die();
  await screen.ended();
  assert.match(screen.history(), /Incus does not answer, so nothing was changed/);
  assert.match((await bed.coi(['list'])).stdout, /Status: Running/);
});

test('a start that does not fit into its storage pool says so and leaves nothing', {
  timeout,
}, async () => {
  await using undo = new AsyncDisposableStack();
  await using bed = await makeBed();
  const pool = `${bed.prefix}small`;
  await mustRun(['incus', 'storage', 'create', pool, 'btrfs', 'size=300MiB']);
  undo.defer(async () => void (await mustRun(['incus', 'storage', 'delete', pool])));
  await mkdir(join(bed.user.home, '.coi'));
  await writeFile(
    join(bed.user.home, '.coi/config.toml'),
    `[container]\nstorage_pool = "${pool}"\n`,
  );
  await mustRun(['chown', '-R', `${bed.user.uid}:${bed.user.gid}`, join(bed.user.home, '.coi')]);
  const before = await inventory(bed);
  const result = await bed.coi(['run', '--image', bed.image, '--', 'true']);
  refused(result, 125, new RegExp(`storage pool "${pool}" (has only|is full).* MiB free`), 'run');
  await untilUnmounted(bed.coid.runDir);
  assert.deepEqual(leftovers(before, await inventory(bed)), []);
});
