// File systems without idmapped mounts (FUSE: sshfs, gocryptfs, bindfs): sessions start there, or one error says why not.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserNamespaces } from '../../src/host/linux/id-maps.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';
import { bindMount, unmount } from '../../src/host/linux/mounts.ts';
import { parseIdLines, singleIdsName } from '../../src/setup/id-lines.ts';
import { makeBed } from '../bed/bed.ts';
import { fuseType, makeFuse } from '../bed/fuse.ts';
import { coiPath } from '../bed/program.ts';
import { type Ids, removeRootIds, rootIds } from '../bed/root-ids.ts';
import {
  conversationText,
  homeFile,
  powerOff,
  runInside,
  sendMessage,
  sessionId,
  startConversation,
} from './conversation.ts';

const timeout = 240_000;

/** Removes ids that coid gave root, at the end. */
function removeIdsAtEnd(ids: Ids): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => removeRootIds(ids) };
}

const work = 'set -e; id -u; echo new > new; mkdir d; echo deep > d/file; cat new d/file';

test("in a workspace on FUSE the agent has its user's ids, and the user owns new files", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using _ids = removeIdsAtEnd(bed.user);
  const { path } = bed.workspace;
  await using _ = await makeFuse(path, bed.user);
  assert.deepEqual(rootIds(bed.user), []);
  const first = await bed.coi(['run', '--', 'sh', '-c', work]);
  assert.deepEqual([first.status, first.stdout], [0, '1000\nnew\ndeep\n'], first.stderr);
  assert.match(
    first.stderr,
    new RegExp(`workspace \\(${fuseType}\\): the agent runs as uid ${bed.user.uid} of this host`),
  );
  for (const name of ['new', 'd', 'd/file']) {
    const { uid, gid } = statSync(join(path, name));
    assert.deepEqual([uid, gid], [bed.user.uid, bed.user.gid], name);
  }
  assert.deepEqual(rootIds(bed.user), [`root:${bed.user.uid}:1`, `root:${bed.user.gid}:1`]);
  // No id is added twice.
  const second = await bed.coi(['run', '--', 'cat', 'new']);
  assert.deepEqual([second.status, second.stdout], [0, 'new\n'], second.stderr);
  assert.equal(rootIds(bed.user).length, 2);
  // For `coi setup --remove`, which removes these and no others.
  const noted = readFileSync(join(bed.coid.stateDir, singleIdsName), 'utf8');
  assert.deepEqual(
    parseIdLines(noted).map(({ path, line }) => `${path} ${line}`),
    [`/etc/subuid root:${bed.user.uid}:1`, `/etc/subgid root:${bed.user.gid}:1`],
  );
});

test('setuid files that root had before are not attributed to coid', { timeout }, async () => {
  await using bed = await makeBed();
  await using _ids = removeIdsAtEnd(bed.user);
  await using _ = await makeFuse(bed.workspace.path, bed.user);
  const usermod = ['usermod', '-v', `${bed.user.uid}-${bed.user.uid}`, 'root'];
  assert.equal(spawnSync(usermod[0] ?? '', usermod.slice(1)).status, 0);
  const ran = await bed.coi(['run', '--', 'true']);
  assert.equal(ran.status, 0, ran.stderr);
  const noted = parseIdLines(readFileSync(join(bed.coid.stateDir, singleIdsName), 'utf8'));
  assert.deepEqual(noted, [{ path: '/etc/subgid', line: `root:${bed.user.gid}:1` }]);
});

test('a FUSE workspace that needs guards is refused before anything is created, and started if only watched', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using _ids = removeIdsAtEnd(bed.user);
  const { path } = bed.workspace;
  await using _ = await makeFuse(path, bed.user);
  assert.equal((await bed.user.run(['git', 'init', '--quiet', path])).status, 0);
  const tree = () => spawnSync('find', [path, '-printf', '%P %U %G %m\n']).stdout.toString();
  const before = tree();
  const refused = await bed.coi(['run', '--', 'true']);
  assert.equal(refused.status, 125, refused.stderr);
  assert.ok(refused.stderr.includes(path) && refused.stderr.includes(`(${fuseType})`));
  assert.match(refused.stderr, /can be protected.*\n.*local disk, or set \[security\] protection/);
  assert.deepEqual(await bed.instances(), []);
  assert.equal(tree(), before);
  homeFile(bed, '.coi/config.toml', '[security]\nprotection = "watch"\n');
  const watched = await bed.coi(['run', '--', 'sh', '-c', work]);
  assert.deepEqual([watched.status, watched.stdout], [0, '1000\nnew\ndeep\n'], watched.stderr);
});

test('a FUSE mount next to a guarded local workspace shows the same owner, even after a restart', {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  await using _ids = removeIdsAtEnd(bed.user);
  const { user, workspace } = bed;
  const data = join(user.home, 'data');
  mkdirSync(data);
  await using undo = new AsyncDisposableStack();
  undo.use(await makeFuse(data, user));
  const mounts = ['--persistent', '--mount', `${data}:/data`];
  const first = await startConversation(bed, mounts);
  const [name = ''] = await bed.instances();
  await sendMessage(first, 'hello');
  const asAgent = async (command: string) => {
    const { status, stdout, stderr } = await bed.incus.execCaptured(name, {
      command: ['sh', '-c', command],
      user: 1000,
      group: 1000,
    });
    return [status, `${stdout}${stderr}`];
  };
  const writes = 'cd /workspace && echo 1 > made && cd /data && echo 2 > made && cat made';
  assert.deepEqual(await asAgent(writes), [0, '2\n']);
  const [hook] = await asAgent('echo evil > /workspace/.git/hooks/pre-commit');
  assert.notEqual(hook, 0, 'the guard holds');
  const monitored = JSON.parse((await bed.coi(['monitor', '--json', name])).stdout);
  assert.deepEqual(
    [...new Set(monitored.processes.processes.map((row: { user: string }) => row.user))]
      .filter((one) => one === 'root' || one === 'code' || /-|\d{5}/.test(String(one)))
      .sort(),
    ['code', 'root'],
  );
  await powerOff(first);
  const owned = [join(workspace.path, 'made'), join(data, 'made'), join(user.home, '.coi')];
  const store = readdirSync(join(user.home, '.coi'), { recursive: true, encoding: 'utf8' });
  for (const path of [...owned, ...store.map((one) => join(user.home, '.coi', one))])
    assert.equal(statSync(path).uid, user.uid, path);

  const second = await startConversation(bed, ['--slot', '1', ...mounts]);
  assert.deepEqual(await asAgent('cat /workspace/made /data/made; echo 3 > /data/made'), [
    0,
    '1\n2\n',
  ]);
  await powerOff(second);
  // If it is no longer mounted there, ids are mapped again.
  await undo.disposeAsync();
  const third = await startConversation(bed, ['--slot', '1']);
  assert.deepEqual(await asAgent('cd /workspace && echo 4 > made && cat made'), [0, '4\n']);
  assert.match(await runInside(bed, name, 'cat', '/proc/self/uid_map'), /^\s*0\s+\d+\s+65536\n$/);
  assert.equal(statSync(join(workspace.path, 'made')).uid, user.uid);
  await powerOff(third);
});

test("a FUSE workspace owned by root is refused; root's sessions work for any other owner", {
  timeout,
}, async () => {
  await using bed = await makeBed({ who: 'root' });
  const { path } = bed.workspace;
  {
    await using _ = await makeFuse(path, bed.user);
    const refused = await bed.coi(['run', '--', 'true']);
    assert.equal(refused.status, 125, refused.stderr);
    assert.ok(refused.stderr.includes(`${path}" (${fuseType})`), refused.stderr);
    assert.match(refused.stderr, /could not write to .* belongs to root.*\nHint: .*uid=/);
    assert.deepEqual(await bed.instances(), []);
  }
  const owner = { uid: 31_337, gid: 31_338 };
  await using _ids = removeIdsAtEnd(owner);
  await using _ = await makeFuse(path, owner);
  const done = await bed.coi(['run', '--', 'sh', '-c', work]);
  assert.deepEqual([done.status, done.stdout], [0, '1000\nnew\ndeep\n'], done.stderr);
  const { uid, gid } = statSync(join(path, 'new'));
  assert.deepEqual({ uid, gid }, owner);
});

test('a private FUSE file system is named with the option that it needs', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { user, workspace } = bed;
  await using _ = await makeFuse(workspace.path, { ...user, mounter: user.uid, options: [] });
  assert.equal((await user.run(['mkdir', join(workspace.path, 'below')])).status, 0);
  for (const cwd of [workspace.path, join(workspace.path, 'below')]) {
    // Root, which starts the commands here, cannot enter it.
    const argv = ['sh', '-c', 'cd "$1" && exec "$2" run -- true', 'sh', cwd, coiPath()];
    const refused = await user.run(argv, { env: bed.env });
    assert.equal(refused.status, 125, refused.stderr);
    assert.ok(refused.stderr.includes(cwd) && refused.stderr.includes(`(${fuseType})`));
    assert.match(refused.stderr, /Hint: .*allow_other/);
  }
  await using rootBed = await makeBed({ who: 'root' });
  const asRoot = await rootBed.coi(['run', '--workspace', workspace.path, '--', 'true']);
  assert.match(asRoot.stderr, /only the user who mounted it.*\nHint: .*allow_other/);
  assert.deepEqual([await bed.instances(), await rootBed.instances()], [[], []]);
});

test('a FUSE file system whose program has exited is reported as that', { timeout }, async () => {
  await using bed = await makeBed();
  const { user, workspace } = bed;
  await using fuse = await makeFuse(workspace.path, user);
  await fuse.kill();
  const argv = [coiPath(), 'run', '--workspace', workspace.path, '--', 'true'];
  const { status, stderr } = await user.run(argv, { env: bed.env });
  assert.equal(status, 125);
  assert.match(stderr, new RegExp(`\\(${fuseType}\\) whose program has exited\nHint: Unmount it`));
});

test('a mount that already maps ids, like those of systemd-homed, counts as unmappable', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await using _ids = removeIdsAtEnd(bed.user);
  const { user, workspace } = bed;
  const disk = `${workspace.path}-disk`;
  mkdirSync(disk);
  chownSync(disk, 60_001, 60_001);
  const libc = await loadLibc();
  using namespaces = new UserNamespaces(libc);
  const onDisk = 60_001;
  const namespace = namespaces.descriptor({ onDisk, shown: user.uid }, { onDisk, shown: user.gid });
  const source = openSync(disk, constants.O_RDONLY | constants.O_DIRECTORY);
  bindMount(libc, { source, target: workspace.path, readonly: false, namespace });
  using _mounted = {
    [Symbol.dispose]: () => {
      closeSync(source);
      unmount(libc, workspace.path);
      rmSync(disk, { recursive: true });
    },
  };
  const done = await bed.coi(['run', '--', 'sh', '-c', work]);
  assert.deepEqual([done.status, done.stdout], [0, '1000\nnew\ndeep\n'], done.stderr);
  assert.equal(statSync(join(disk, 'new')).uid, 60_001);
});

test('with a home on FUSE the agent writes the store as its user, and the session can be resumed', {
  timeout,
}, async () => {
  await using bed = await makeBed({ git: true });
  await using _ids = removeIdsAtEnd(bed.user);
  const top = join(bed.user.home, '.coi');
  mkdirSync(top);
  await using _ = await makeFuse(top, bed.user);
  const first = await startConversation(bed);
  await sendMessage(first, 'hello');
  const id = sessionId(first);
  await powerOff(first);
  assert.match(conversationText(bed, id), /hello/);
  const second = await startConversation(bed, [`--resume=${id}`]);
  assert.match(second.output(), new RegExp(`\\(${fuseType}\\).*: the agent runs as uid`));
  await powerOff(second);
});
