// coi file, tmux and logs through the built program, with a hostile container.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { guestScript } from '../../src/host/install/resources.ts';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 120_000;
let bed: Bed;
let name: string;

before(async () => {
  bed = await makeBed();
  const result = await bed.coi(['shell', '--background', '--image', bed.image]);
  assert.equal(result.status, 0, result.stderr);
  [name = ''] = await bed.instances();
});
after(async () => bed?.[Symbol.asyncDispose]());

const file = (...args: string[]) => bed.coi(['file', ...args]);
const here = (path: string) => join(bed.workspace.path, path);

/** Runs a script in the container as root. */
async function inside(script: string): Promise<string> {
  const result = await bed.coi([
    'container',
    'exec',
    name,
    '--capture',
    '--format',
    'raw',
    '--cwd',
    '/',
    '--',
    'sh',
    '-c',
    script,
  ]);
  assert.equal(result.status, 0, result.stderr);
  return result.stdout;
}

async function writeAsUser(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
  await writeFile(here(path), content);
  await chmod(here(path), mode);
  await chown(here(path), bed.user.uid, bed.user.gid);
}

test('a file is pushed and pulled byte for byte with its mode, whatever its name', {
  timeout,
}, async () => {
  const bytes = randomBytes(3_000_000);
  await writeAsUser("odd 'name'\n$x", bytes, 0o750);
  const pushed = await file('push', "odd 'name'\n$x", `${name}:/home/code/`);
  assert.equal(pushed.status, 0, pushed.stderr);
  assert.equal(pushed.stdout, '');
  assert.equal(await inside('cd /home/code; stat -c %a,%u,%g odd*'), '750,1000,1000\n');
  const pulled = await file('pull', `${name}:/home/code/odd 'name'\n$x`, 'back');
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.ok(bytes.equals(await readFile(here('back'))));
  const { mode, uid } = await stat(here('back'));
  assert.deepEqual([mode & 0o7777, uid], [0o750, bed.user.uid]);
});

test('a directory is pushed with its links and pulled without them, into a directory as with cp', {
  timeout,
}, async () => {
  await mkdir(here('tree/inner'), { recursive: true });
  await writeAsUser('tree/inner/one', 'one');
  await writeAsUser('tree/two', 'two');
  await symlink('inner/one', here('tree/link'));
  const refused = await file('push', 'tree', `${name}:/tmp`);
  assert.equal(refused.status, 2);
  const pushed = await file('push', '-r', 'tree', `${name}:/tmp`);
  assert.equal(pushed.status, 0, pushed.stderr);
  assert.equal(await inside('cat /tmp/tree/link; readlink /tmp/tree/link'), 'oneinner/one\n');
  await mkdir(here('into'));
  await chown(here('into'), bed.user.uid, bed.user.gid);
  assert.equal((await file('pull', `${name}:/tmp/tree`, 'into')).status, 2);
  const pulled = await file('pull', '-r', `${name}:/tmp/tree`, 'into');
  assert.equal(pulled.status, 0, pulled.stderr);
  assert.match(pulled.stderr, /link was left out: it is a link/);
  assert.equal(await readFile(here('into/tree/inner/one'), 'utf8'), 'one');
  assert.deepEqual((await readdir(here('into/tree'))).sort(), ['inner', 'two']);
});

test('links in the container or the workspace do not redirect a pull', {
  timeout,
}, async () => {
  await writeAsUser('precious', 'precious');
  await inside(
    'mkdir -p /tmp/evil; cd /tmp/evil; ln -s /etc/passwd a; echo x >file; chmod 6777 file',
  );
  const linked = await file('pull', `${name}:/tmp/evil/a`, 'got');
  assert.equal(linked.status, 1);
  await symlink(here('precious'), here('trap'));
  await symlink('/tmp', here('trapdir'));
  for (const trap of ['trap', 'trapdir']) {
    const result = await file('pull', `${name}:/tmp/evil/file`, trap);
    assert.equal(result.status, 1, trap);
    assert.match(result.stderr, /is a link/);
  }
  assert.equal(await readFile(here('precious'), 'utf8'), 'precious');
  await mkdir(here('dest/evil'), { recursive: true });
  await symlink(here('precious'), here('dest/evil/file'));
  for (const path of ['dest', 'dest/evil']) await chown(here(path), bed.user.uid, bed.user.gid);
  assert.equal((await file('pull', '-r', `${name}:/tmp/evil`, 'dest')).status, 0);
  assert.equal(await readFile(here('precious'), 'utf8'), 'precious');
  const got = await lstat(here('dest/evil/file'));
  assert.ok(got.isFile());
  assert.equal(got.mode & 0o7777, 0o777, 'set-user-id bits do not travel');
});

test('a failed pull leaves nothing, and invalid paths are refused', { timeout }, async () => {
  for (const args of [
    ['pull', 'nothing', 'x'],
    ['push', 'tree', `${name}:`],
    ['push', 'tree', ':/tmp'],
  ]) {
    const result = await file(...args);
    assert.equal(result.status, 2, args.join(' '));
    assert.match(result.stderr, /must be in format 'container:path'/);
  }
  assert.equal((await file('pull', `${name}:/no/such`, 'x')).status, 1);
  assert.equal((await file('push', 'no-such', `${name}:/tmp`)).status, 1);
  assert.equal((await file('push', 'precious', `${name}:/no/such/place`)).status, 1);
  assert.equal((await file('pull', 'coit-none:/x', 'x')).status, 1);
  assert.deepEqual(
    (await readdir(here('.'))).filter((entry) => entry.startsWith('.coi-')),
    [],
  );
});

test('tmux send types into the session, capture shows it without control characters, list names it', {
  timeout,
}, async () => {
  const session = `coi-${name}`;
  assert.deepEqual(JSON.parse((await bed.coi(['tmux', 'list', '--json'])).stdout), [
    { container: name, session },
  ]);
  assert.match((await bed.coi(['tmux', 'list'])).stdout, /^CONTAINER +TMUX SESSION\n/);
  const typed = await bed.coi(['tmux', 'send', name, "hello 'there' $HOME C-c"]);
  assert.equal(typed.status, 0, typed.stderr);
  const pane = `until tmux capture-pane -p -t =${session}: | grep -q there; do sleep 0.1; done`;
  const waited = await bed.incus.execCaptured(name, {
    command: ['sh', '-c', pane],
    user: 1000,
    environment: { HOME: '/home/code' },
  });
  assert.equal(waited.status, 0);
  const shown = await bed.coi(['tmux', 'capture', name]);
  assert.match(shown.stdout, /hello 'there' \$HOME C-c/);
  assert.equal((await bed.coi(['tmux', 'capture', `${bed.prefix}none`])).status, 1);
});

test('a repeated send request types nothing twice, another one does', {
  timeout,
}, async () => {
  const session = `coi-${name}`;
  const send = async (id: string) => {
    const sent = await bed.incus.execCaptured(name, {
      command: ['sh', '-c', guestScript('tmux.sh'), 'coi-tmux', 'text', session, id],
      user: 1000,
      environment: { HOME: '/home/code' },
      input: ': once more',
    });
    assert.equal(sent.status, 0, sent.stderr.toString());
  };
  // Incus may lose an exec that keeps running: then two run at the same time.
  for (const id of ['one', 'two']) await Promise.all([send(id), send(id), send(id)]);
  await bed.coi(['tmux', 'send', name, 'the last']);
  const pane = `until tmux capture-pane -p -t =${session}: | grep -q 'the last'; do sleep 0.1; done`;
  const environment = { HOME: '/home/code' };
  await bed.incus.execCaptured(name, { command: ['sh', '-c', pane], user: 1000, environment });
  const { stdout } = await bed.coi(['tmux', 'capture', name]);
  assert.equal(stdout.split('You said: : once more').length - 1, 2, stdout);
});

test("root's session is found too", { timeout }, async () => {
  const low = `${bed.prefix}low`;
  assert.equal((await bed.coi(['container', 'launch', bed.image, low])).status, 0);
  const none = await bed.coi(['tmux', 'capture', low]);
  assert.equal(none.status, 1);
  assert.match(none.stderr, /no tmux session/);
  const started = await bed.coi([
    'container',
    'exec',
    low,
    '--',
    'tmux',
    'new-session',
    '-d',
    '-s',
    `coi-${low}`,
    'sh',
    '-c',
    "printf 'from root\\n\\033]0;title\\007'; sleep 60",
  ]);
  assert.equal(started.status, 0, started.stderr);
  await bed.coi([
    'container',
    'exec',
    low,
    '--',
    'sh',
    '-c',
    `until tmux capture-pane -p -t =coi-${low}: | grep -q root; do sleep 0.1; done`,
  ]);
  assert.equal((await bed.coi(['tmux', 'capture', low])).stdout, 'from root\n');
});

test("coi logs prints the container's journal", { timeout }, async () => {
  await inside('logger -t coi-test "marked line"; journalctl --sync');
  const result = await bed.coi(['logs', name]);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /marked line/);
  assert.equal((await bed.coi(['logs', '-n', '0'])).status, 2);
});

test('files can be pulled from a stopped container', { timeout }, async () => {
  const low = `${bed.prefix}low`;
  await bed.coi(['container', 'exec', low, '--', 'sh', '-c', 'echo kept >/root/kept']);
  assert.equal((await bed.coi(['container', 'stop', '-f', low])).status, 0);
  const result = await file('pull', `${low}:/root/kept`, '.');
  assert.equal(result.status, 0, result.stderr);
  assert.equal(await readFile(here('kept'), 'utf8'), 'kept\n');
  assert.equal(await readlink(here('trap')), here('precious'));
});
