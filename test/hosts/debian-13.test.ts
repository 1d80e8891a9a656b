// Debian 13 with systemd, from a bare host to guarded sessions, a restart of coid and a reboot. The steps depend on
// each other, so they are in one file and in order.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { testImage } from '../bed/bed.ts';
import {
  openPrivateServer,
  privateServer,
  receivedByHost,
  receivedBySession,
} from './private-server.ts';
import { account } from './recipe.ts';
import { coi, SystemHost } from './system-host.ts';

const timeout = 240_000;
let host: SystemHost;
before(
  async () => {
    host = await SystemHost.open();
  },
  // The image is built here if it does not exist yet.
  { timeout: 15 * 60_000 },
);
after(async () => host?.[Symbol.asyncDispose]());

interface Health {
  readonly status: string;
  readonly checks: Readonly<Record<string, { readonly status: string; readonly message: string }>>;
}

async function health(): Promise<Health> {
  const { stdout } = await host.asUser(account.home, 'coi', 'health', '--json');
  return JSON.parse(stdout) as Health;
}

/** Name of the container of a new session in a new project. */
async function session(project: string, ...flags: string[]): Promise<string> {
  const workspace = await host.workspace(project);
  const started = await host.asUser(
    ...([workspace, 'coi', 'shell', '--background', '--image', testImage] as const),
    ...flags,
  );
  assert.equal(started.status, 0, started.stderr);
  const container = /^Container: (\S+)$/m.exec(started.stdout + started.stderr)?.[1];
  assert.ok(container, started.stdout + started.stderr);
  return container;
}

const rules = () => host.must('nft', 'list', 'table', 'inet', 'coi');
let guarded = '';
let open = '';

test('setup makes a bare Debian 13 ready: Incus from main, coid as a service, network rules applied', {
  timeout,
}, async () => {
  assert.match(await host.must('cat', '/etc/os-release'), /^VERSION_CODENAME=trixie$/m);
  assert.notEqual((await host.run('sh', '-c', 'command -v incusd incus nft coi')).status, 0);
  const done = await host.asUser(account.home, 'sudo', coi, 'setup', '--yes');
  assert.equal(done.status, 0, done.stderr);
  assert.match(done.stderr, /install incus-base, .*nftables.* with apt/);
  assert.doesNotMatch(await host.must('ls', '/etc/apt/sources.list.d'), /backports/);
  assert.match(await host.must('nft', '--version'), /v1\.1\./);
  for (const unit of ['incus.socket', 'incus.service', 'coid.service'])
    assert.equal((await host.must('systemctl', 'is-active', unit)).trim(), 'active', unit);
  assert.equal((await host.must('systemctl', 'is-enabled', 'coid.service')).trim(), 'enabled');
});

test('a second setup has nothing to do', { timeout }, async () => {
  const again = await host.asUser(account.home, 'sudo', coi, 'setup', '--yes');
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /^Nothing to do: this host is ready/);
});

test('health warns only of limits of running in a container', { timeout }, async () => {
  const { checks } = await health();
  const unwell = Object.entries(checks).filter(([, { status }]) => status !== 'ok');
  const kernel = '/sys/module/apparmor/parameters/enabled';
  const hasAppArmor = existsSync(kernel) && readFileSync(kernel, 'utf8').trim() === 'Y';
  assert.deepEqual(
    unwell.map(([id, { status }]) => `${id} ${status}`).sort(),
    [
      // Concerns this machine's kernel.
      ...(hasAppArmor ? [] : ['apparmor warning']),
      // The test image is used, not the default one that takes minutes to build.
      'image warning',
      // A pool of plain directories, since there are no loop devices.
      'incus_storage_pools warning',
    ],
    JSON.stringify(unwell, undefined, 2),
  );
});

test("run passes on its command's status", { timeout }, async () => {
  await host.importTestImage();
  const workspace = await host.workspace('run');
  const run = (command: string) =>
    host.asUser(workspace, 'coi', 'run', '--image', testImage, '--', command);
  const [good, bad] = [await run('true'), await run('false')];
  assert.deepEqual([good.status, bad.status], [0, 1], good.stderr + bad.stderr);
});

test('a private address is reachable from the host and an open session, and not from a guarded one', {
  timeout,
}, async () => {
  await openPrivateServer(host);
  guarded = await session('guarded');
  open = await session('open', '--network', 'open');
  const address = /(10\.[\d.]+|172\.[\d.]+|192\.168\.[\d.]+) \(eth0\)/.exec(
    await host.must('incus', 'list', guarded, '--format', 'compact'),
  )?.[1];
  assert.ok(address);
  assert.ok((await rules()).includes(address), 'the rules name the session');
  assert.equal(await receivedByHost(host), privateServer.says);
  assert.equal(await receivedBySession(host, open), privateServer.says);
  assert.equal(await receivedBySession(host, guarded), '');
});

test('removed network rules are restored at once', { timeout }, async () => {
  const before = await rules();
  assert.match(before, /chain restricted/);
  await host.must('nft', 'delete', 'table', 'inet', 'coi');
  // Much sooner than coid's own check, once a minute.
  await host.must(
    'timeout',
    '10',
    'sh',
    '-c',
    'until nft list chain inet coi restricted; do sleep 0.1; done 2>&1',
  );
  assert.equal(await receivedByHost(host), privateServer.says);
  assert.equal(await receivedBySession(host, guarded), '');
});

test('a login made on the host reaches running sessions', { timeout }, async () => {
  const login = {
    accessToken: 'of-the-host',
    refreshToken: 'r',
    expiresAt: Date.now() + 3_600_000,
  };
  const profile = { oauthAccount: { accountUuid: 'me', organizationUuid: 'us' } };
  const script = `mkdir -p .claude && echo '${JSON.stringify(profile)}' > .claude.json &&
    echo '${JSON.stringify({ claudeAiOauth: login })}' > .claude/.credentials.json`;
  const written = await host.asUser(account.home, 'sh', '-c', script);
  assert.equal(written.status, 0, written.stderr);
  // By a program that coid starts inside its unit, as the user.
  const stores = `${account.home}/.coi/sessions-claude/*/.claude/.credentials.json`;
  await host.must(
    ...['timeout', '20', 'sh', '-c'],
    `until [ "$(cat ${stores} 2>/dev/null | grep -c of-the-host)" = 2 ]; do sleep 0.1; done`,
  );
});

test('a restart of coid keeps sessions guarded', { timeout }, async () => {
  await host.must('systemctl', 'restart', 'coid.service');
  assert.equal(await receivedBySession(host, guarded), '');
  const { checks } = await health();
  assert.deepEqual(checks['coid']?.status, 'ok', checks['coid']?.message);
  assert.match(checks['coid']?.message ?? '', /, 2 guarded$/);
  assert.equal(await receivedBySession(host, guarded), '');
  assert.equal(await receivedBySession(host, open), privateServer.says);
});

test('after a reboot coid runs, ended sessions are cleaned up, and a new session is guarded', {
  timeout,
}, async () => {
  await host.reboot();
  const { checks } = await health();
  assert.deepEqual(checks['coid']?.status, 'ok', checks['coid']?.message);
  // coid considers a container ended after five stopped seconds, and removes its rules afterwards.
  await host.must(
    ...['timeout', '60', 'sh', '-c'],
    'until [ -z "$(incus list --format csv --columns n)" ] && ! nft list map inet coi sources | grep -q jump; do sleep 0.2; done',
  );
  const { stdout } = await host.asUser(account.home, 'coi', 'list', '--all', '--json');
  const left = JSON.parse(stdout) as { active_containers: unknown[]; saved_sessions: unknown[] };
  assert.equal(left.active_containers.length, 0);
  assert.equal(left.saved_sessions.length, 2, 'the conversations are kept');
  await openPrivateServer(host);
  const next = await session('next');
  assert.equal(await receivedByHost(host), privateServer.says);
  assert.equal(await receivedBySession(host, next), '');
});

test('setup --remove refuses while a session runs, and names it', { timeout }, async () => {
  const running = (await host.must('incus', 'list', '--format', 'csv', '--columns', 'n')).trim();
  const result = await host.asUser(account.home, 'sudo', 'coi', 'setup', '--remove', '--yes');
  assert.equal(result.status, 1);
  assert.ok(result.stderr.startsWith(`Error: sessions are running: ${running}\n`), result.stderr);
  assert.equal(await receivedBySession(host, running), '');
});

// Runs last: it removes all of coi.
test('setup --remove with sessions and packages leaves Debian 13 as if coi was never set up', {
  timeout,
}, async () => {
  const flags = ['--remove', '--yes', '--sessions', '--packages'];
  await host.must('incus', 'image', 'delete', testImage);
  const result = await host.asUser(account.home, 'sudo', 'coi', 'setup', ...flags);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stderr, /- stop and remove the coid service$/m);
  assert.match(result.stderr, /- remove dev from the group incus-admin$/m);
  assert.match(result.stderr, /- remove incus-base, .* with apt$/m);
  const left = [
    'ls -d /usr/local/lib/coi /usr/local/bin/coi /usr/local/share/man/man1/coi.1 /run/coi /var/lib/coi /var/log/coi',
    'ls /etc/systemd/system/coid.service /etc/systemd/system/multi-user.target.wants/coid.service',
    'ls /etc/sysctl.d | grep coi; ls /etc/apt/sources.list.d | grep coi; ls -d /sys/class/net/coibr0',
    'command -v coi incus incusd nft; grep ^incus-admin:.*dev /etc/group',
    'grep /run/coi /proc/self/mounts; pgrep -a -f "daemon [r]un"',
  ];
  for (const script of left)
    assert.equal((await host.run('sh', '-c', `{ ${script}; } 2>/dev/null`)).stdout, '', script);
  assert.equal((await host.must('systemctl', 'is-system-running')).trim(), 'running');
  // The user's files are still there, and the workspace belongs to the user again.
  await host.must('sh', '-c', `ls -d ${account.home}/.coi/sessions-claude/*`);
  const strange = `find ${account.home}/next ! -user ${account.name} -o ! -group ${account.name}`;
  assert.equal(await host.must('sh', '-c', strange), '');
  const again = await host.asUser(account.home, 'sudo', coi, 'setup', '--remove', '--yes');
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /^Nothing to remove/);
  // Root does not follow the user's links on the way.
  const script = 'mv .cache real && ln -s real .cache && ls -d .cache/coi';
  assert.equal((await host.asUser(account.home, 'sh', '-c', script)).status, 0);
  const data = await host.asUser(account.home, 'sudo', coi, 'setup', '--remove', '--data', '--yes');
  assert.equal(data.status, 0, data.stderr);
  assert.match(data.stderr, /- delete \/home\/dev\/\.coi$/m);
  const there = await host.must(
    'sh',
    '-c',
    `cd ${account.home} && ls -d .coi real/coi 2>/dev/null; true`,
  );
  assert.equal(there, 'real/coi\n');
});
