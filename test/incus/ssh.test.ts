// `coi ssh-config` with the real ssh, scp and sftp, against sessions on the real Incus.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import type { CommandOptions } from '../bed/command.ts';
import { coiPath } from '../bed/program.ts';
import { makeUser } from '../bed/users.ts';
import { assertSucceeded, freePort, receive, serve, startSession } from './port-bed.ts';

const timeout = 240_000;

/** Any program of the user, with the environment that coi needs for this bed. */
function run(bed: Bed, argv: readonly string[], options: CommandOptions = {}) {
  return bed.user.run(argv, {
    cwd: bed.user.home,
    ...options,
    env: { ...bed.env, ...options.env },
  });
}

async function writeSshConfig(bed: Bed, ...words: string[]): Promise<string> {
  const result = assertSucceeded(
    await bed.coi(['ssh-config', '--write', '--yes', '--json', ...words]),
  );
  const { hosts, included } = JSON.parse(result.stdout) as { hosts: string[]; included: boolean };
  assert.equal(included, true);
  return hosts[0] ?? '';
}

/** As a process in the session sees it. */
async function inside(bed: Bed, name: string, script: string): Promise<string> {
  const command = ['container', 'exec', name, '--user', '1000', '--', 'sh', '-c', script];
  return assertSucceeded(await bed.coi(command)).stdout;
}

async function noServerLeft(bed: Bed, name: string): Promise<void> {
  await inside(bed, name, "while pgrep -f '[s]shd' >/dev/null; do sleep 0.1; done");
}

for (const who of ['ordinary', 'root'] as const)
  test(`ssh, scp and sftp enter a session of ${who} as the agent's user, and leave nothing`, {
    timeout,
  }, async () => {
    await using bed = await makeBed({ who });
    const name = await startSession(bed);
    const sshDir = join(bed.user.home, '.coi/ssh');
    const printed = assertSucceeded(await bed.coi(['ssh-config']));
    assert.match(printed.stdout, new RegExp(`^Host ${name}$`, 'm'));
    assert.match(printed.stdout, /^ {2}ForwardAgent no$/m);
    assert.ok(!existsSync(join(bed.user.home, '.ssh/config')));
    assert.ok(!existsSync(join(sshDir, 'config')));
    assert.equal(statSync(join(sshDir, 'id_ed25519')).mode & 0o777, 0o600);
    assert.equal(statSync(sshDir).mode & 0o777, 0o700);
    assert.equal(statSync(sshDir).uid, bed.user.uid);
    // As printed.
    const file = join(bed.user.home, 'host');
    writeFileSync(file, printed.stdout);
    const ssh = ['ssh', '-F', file, name];
    const result = assertSucceeded(
      await run(bed, [...ssh, 'id -un; id -u; echo "$PATH"; ls -d /workspace']),
    );
    assert.match(result.stdout, /^code\n1000\n\/home\/code\/\.local\/bin:.*\n\/workspace\n$/);
    assert.equal(result.stderr, '');
    assert.equal((await run(bed, [...ssh, 'exit 7'])).status, 7);
    const big = Buffer.alloc(8 * 2 ** 20, 'coi ');
    const echoed = await run(bed, [...ssh, 'cat'], { input: big });
    assert.equal(assertSucceeded(echoed).stdout.length, big.length);
    const from = join(bed.user.home, 'from');
    writeFileSync(from, big);
    assertSucceeded(await run(bed, ['scp', '-q', '-F', file, from, `${name}:there`]));
    const batch = 'mkdir sub\nrename there sub/there\nget sub/there got\nls sub\n';
    assertSucceeded(await run(bed, ['sftp', '-q', '-F', file, '-b', '-', name], { input: batch }));
    assert.deepEqual(readFileSync(join(bed.user.home, 'got')), big);
    assert.equal(await inside(bed, name, 'stat -c %U:%s ~/sub/there'), `code:${big.length}\n`);
    await noServerLeft(bed, name);
    assert.equal(await inside(bed, name, 'ss -ltn | grep -c :22 || true'), '0\n');
  });

test('--write adds the host where ssh finds it, once, and asks before changing ~/.ssh/config', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await mkdir(join(bed.user.home, '.ssh'), { mode: 0o700 });
  await mkdir(join(bed.user.home, '.coi'));
  const own = join(bed.user.home, '.ssh/config');
  await writeFile(
    own,
    'Host *\n  ForwardAgent yes\n  SendEnv SECRET_*\n  RemoteForward 9000 localhost:9000\n',
  );
  await writeFile(join(bed.user.home, '.coi/config.toml'), '[container]\nalias = "shop"\n');
  for (const path of ['.ssh', '.ssh/config', '.coi', '.coi/config.toml'])
    await chown(join(bed.user.home, path), bed.user.uid, bed.user.gid);
  const before = readFileSync(own, 'utf8');
  const name = await startSession(bed);

  const answer = assertSucceeded(await bed.coi(['ssh-config', '--write'], { input: 'y\n' }));
  assert.match(answer.stderr, /Ready: ssh -F ~\/\.coi\/ssh\/config /);
  assert.match(answer.stderr, /to the top of ~\/\.ssh\/config: Include ~\/\.coi\/ssh\/config/);
  assert.equal(readFileSync(own, 'utf8'), before);
  const config = join(bed.user.home, '.coi/ssh/config');
  const host = `${bed.prefix}shop`;
  assertSucceeded(await run(bed, ['ssh', '-F', config, host, 'true']));
  assertSucceeded(await run(bed, ['ssh', '-F', config, name, 'true']));

  const screen = bed.screen(['ssh-config', '--write']);
  await screen.waitFor(/to the top of ~\/\.ssh\/config\? \[y\/N\]/);
  screen.type('y\r');
  await screen.waitFor(`Ready: ssh ${host}`);
  const after = readFileSync(own, 'utf8');
  assert.ok(after.endsWith(before) && after.includes('Include ~/.coi/ssh/config\n'), after);

  const again = assertSucceeded(await bed.coi(['ssh-config', '--write']));
  assert.equal(readFileSync(own, 'utf8'), after);
  assert.equal(readFileSync(config, 'utf8').match(/^Host /gm)?.length, 1);
  // The rest of the user's configuration applies to this host too: additions are reported.
  assert.match(again.stderr, /adds SendEnv "SECRET_\*"/);
  assert.match(again.stderr, /adds RemoteForward "9000 /);
  assert.ok(!again.stderr.includes('forwardagent'));
  // Our server refuses it, so nothing inside listens.
  const forwarded = await run(bed, ['ssh', host, 'ss -ltn | grep -c :9000']);
  assert.equal(forwarded.stdout, '0\n');
  assert.match(forwarded.stderr, /remote port forwarding failed/);

  const needless = await bed.coi(['ssh-config', '--yes']);
  assert.equal(needless.status, 2);
});

test('ssh forwards ports into the session, many connections at once, and a killed ssh leaves nothing', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await startSession(bed);
  const host = await writeSshConfig(bed);
  await serve(bed, name, 3000, 'inside');
  const port = await freePort();
  const forward = bed.command(['ssh', '-L', `${port}:127.0.0.1:3000`, host, 'echo ready; cat']);
  await forward.waitFor('ready');
  const many = Array.from({ length: 12 }, (_, at) =>
    run(bed, ['ssh', host, `echo ${at}; cat`], { input: `in ${at}`, limitMs: 120_000 }),
  );
  const heards = await Promise.all(Array.from({ length: 20 }, () => receive(port)));
  assert.ok(heards.every((text) => text === 'inside'));
  for (const [at, reply] of (await Promise.all(many)).entries())
    assert.equal(assertSucceeded(reply).stdout, `${at}\nin ${at}`);
  await forward.close();
  await noServerLeft(bed, name);
});

test("a session that ssh cannot reach says why: paused, stopped, gone, another user's, no server in the image", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await startSession(bed, '--persistent');
  const host = await writeSshConfig(bed);
  const session = (await bed.incus.instance(name))?.instance.config['user.coi.session'] ?? '';
  const failed = async (pattern: RegExp) => {
    const result = await run(bed, ['ssh', host, 'true']);
    assert.equal(result.status, 255);
    assert.match(result.stderr, pattern);
  };
  await (await bed.incus.changeState(name, { action: 'freeze', timeout: 30 })).wait();
  await failed(/is paused\nHint: Run `coi unfreeze/);
  await (await bed.incus.changeState(name, { action: 'unfreeze', timeout: 30 })).wait();
  const root = ['container', 'exec', name, '--'];
  assertSucceeded(await bed.coi([...root, 'mv', '/usr/sbin/sshd', '/usr/sbin/kept']));
  await failed(/has no ssh server: .*older.*\nHint: Install it: coi container exec/s);
  assertSucceeded(await bed.coi([...root, 'mv', '/usr/sbin/kept', '/usr/sbin/sshd']));
  assertSucceeded(await run(bed, ['ssh', host, 'true']));

  // Another user may not connect with its id, whatever key they have.
  await using undo = new AsyncDisposableStack();
  const other = undo.adopt(await makeUser(), (account) => account.remove());
  const directory = join(other.home, '.coi/ssh');
  await mkdir(directory, { recursive: true });
  writeFileSync(
    join(directory, 'id_ed25519'),
    readFileSync(join(bed.user.home, '.coi/ssh/id_ed25519')),
  );
  for (const path of ['.coi', '.coi/ssh', '.coi/ssh/id_ed25519'])
    await chown(join(other.home, path), other.uid, other.gid);
  const foreign = await other.run([coiPath(), '__ssh', session], { env: bed.env });
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /is not running/);

  assertSucceeded(await bed.coi(['container', 'stop', name]));
  await failed(/is not running\nHint: Run `coi shell --resume=/);
  assertSucceeded(
    await bed.coi(['shell', '--background', '--persistent', '--resume', '--image', bed.image]),
  );
  assertSucceeded(await run(bed, ['ssh', host, 'true']));
  assertSucceeded(await bed.coi(['kill', name]));
  await failed(
    new RegExp(`session ${session} is not running\nHint: Run .coi shell --resume=${session}`),
  );
});

test('a session resumed in a new container keeps its ssh name and host key', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const name = await startSession(bed);
  const host = await writeSshConfig(bed);
  assertSucceeded(await run(bed, ['ssh', host, 'touch /tmp/mark']));
  const session = (await bed.incus.instance(name))?.instance.config['user.coi.session'] ?? '';
  assertSucceeded(await bed.coi(['kill', name]));
  // Meanwhile another session gets its name, and ssh must not connect to that.
  assert.equal(await startSession(bed), name);
  assert.equal((await run(bed, ['ssh', host, 'true'])).status, 255);
  assertSucceeded(
    await bed.coi(['shell', '--background', '--image', bed.image, `--resume=${session}`]),
  );
  const [, second = ''] = await bed.instances();
  const result = assertSucceeded(await run(bed, ['ssh', host, 'ls /tmp/mark || hostname']));
  assert.equal(result.stdout, `${second}\n`);
  // The session that has the name now takes over the host entry.
  assert.equal(await writeSshConfig(bed, name), host);
  assert.equal(assertSucceeded(await run(bed, ['ssh', host, 'hostname'])).stdout, `${name}\n`);
});
