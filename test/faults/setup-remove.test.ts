// `coi setup --remove` on hosts of its own, with a real Incus, a real pool on a loop device and a real coid.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coiPath } from '../bed/program.ts';
import { startScreen } from '../bed/screen.ts';
import { PrivateHost } from './private-host.ts';

const limit = { timeout: 480_000 };
const coi = coiPath();
const setup = [coi, 'setup', '--yes'];
const remove = [coi, 'setup', '--remove', '--yes'];

/** Every file of the host's configuration and programs, and what says who is who. */
async function everything(host: PrivateHost): Promise<string[]> {
  const kinds = '\\( -type f -o -type l \\)';
  const script = `cd / && find etc usr/local var/lib/coi run/coi var/log/coi ${kinds} -printf '%p %y %m %U %l\\n'
    grep -H '' etc/subuid etc/subgid etc/group`;
  const lines = (await host.run('sh', '-c', script)).stdout.split('\n');
  // Copies that passwd and its like keep of what they change.
  return lines.filter((line) => !/^etc\/[a-z]+- /.test(line)).sort();
}

function assertSame(now: readonly string[], before: readonly string[]): void {
  const more = now.filter((line) => !before.includes(line));
  assert.deepEqual(
    { more, less: before.filter((line) => !now.includes(line)) },
    { more: [], less: [] },
  );
}

async function ofIncus(host: PrivateHost): Promise<string> {
  const asked = ['storage-pools', 'networks', 'profiles/default'].map((path) =>
    host.run('incus', 'query', `/1.0/${path}`),
  );
  return (await Promise.all(asked)).map(({ stdout }) => stdout).join('');
}

test(
  'what a setup made is taken away, and the host is as it was; then it can be set up again',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    await host.run('sh', '-c', 'mkdir -p /usr/local/bin && echo before > /usr/local/bin/coi');
    const before = await everything(host);
    const first = await host.run(...setup);
    assert.equal(first.status, 0, first.stderr);
    assert.notDeepEqual(await everything(host), before);
    assert.match(await ofIncus(host), /coibr0/);
    assert.match((await host.run('man', '-w', 'coi')).stdout, /\/usr\/local\/lib\/coi\/.*coi\.1/);

    const said = await host.run(...remove);
    assert.equal(said.status, 0, said.stderr);
    for (const part of [
      /- stop coid$/m,
      /- delete the nftables tables inet coi and bridge coi$/m,
      /- take root and eth0 out of Incus's default profile$/m,
      /- delete the bridge coibr0$/m,
      /- delete the storage pool "default"$/m,
      /- remove root:\d+:\d+ in \/etc\/subuid and root:\d+:\d+ in \/etc\/subgid$/m,
      /- remove the installed program and its man page$/m,
    ])
      assert.match(said.stderr, part);
    assert.equal(said.stdout, 'Removed what setup made on this host.\n');
    assertSame(await everything(host), before);
    assert.doesNotMatch(await ofIncus(host), /coibr0|pools\/default|"pool"/);
    assert.doesNotMatch((await host.run('nft', 'list', 'tables')).stdout, /coi/);
    assert.doesNotMatch((await host.run('ps', '-e', '-o', 'args')).stdout, /daemon run/);

    const again = await host.run(...remove);
    assert.equal(again.status, 0, again.stderr);
    assert.match(again.stdout, /^Nothing to remove/);
    const second = await host.run(...setup);
    assert.equal(second.status, 0, second.stderr);
  },
);

test('a removal that is killed at any of its steps is finished by the next', limit, async () => {
  await using host = await PrivateHost.open();
  const before = await everything(host);
  assert.equal((await host.run(...setup)).status, 0);
  const steps: string[] = [];
  const isNew = (line: string) => {
    const title = /^\.\.\. ([^:]+):/.exec(line)?.[1];
    if (title === undefined || steps.includes(title)) return false;
    steps.push(title);
    return true;
  };
  while (await host.runUntil(remove, isNew)) assert.ok(steps.length < 20, steps.join(' '));
  for (const title of ['coid', 'Network bridge', 'Storage pool', 'Id ranges', 'coi'])
    assert.ok(steps.includes(title), `killed at ${title}, of ${steps.join(', ')}`);
  assertSame(await everything(host), before);
  assert.doesNotMatch(await ofIncus(host), /coibr0|pools\/default/);
});

test('what others use stays, and it says why', limit, async () => {
  await using host = await PrivateHost.open();
  assert.equal((await host.run(...setup)).status, 0);
  await host.run('incus', 'create', '--empty', 'web');
  await host.run('sh', '-c', 'echo "kernel.panic = 1" > /etc/sysctl.d/60-coi.conf');
  const said = await host.run(...remove, '--json');
  assert.equal(said.status, 0, said.stderr);
  const { removed, stays } = JSON.parse(said.stdout) as {
    removed: { kind: string; about: string }[];
    stays: string[];
  };
  const kinds = removed.map(({ kind }) => kind);
  for (const kind of ['pool', 'bridge', 'profile', 'ids']) assert.ok(!kinds.includes(kind), kind);
  assert.ok(kinds.includes('program'));
  assert.ok(!removed.some(({ about }) => about.includes('60-coi.conf')));
  assert.ok(stays.some((line) => line === 'the bridge coibr0, used by instances/web'));
  assert.equal((await host.run('cat', '/etc/sysctl.d/60-coi.conf')).stdout, 'kernel.panic = 1\n');
  assert.match((await host.run('cat', '/etc/subuid')).stdout, /^root:/m);
  // When it is gone, the rest can go, too: the record still tells what is setup's.
  await host.run('incus', 'delete', 'web');
  const rest = await host.run(...remove);
  assert.equal(rest.status, 0, rest.stderr);
  assert.doesNotMatch(await ofIncus(host), /coibr0|pools\/default/);
  assert.doesNotMatch((await host.run('cat', '/etc/subuid')).stdout, /^root:/m);
});

test('it asks, and without root, a terminal or --remove it changes nothing', limit, async () => {
  await using host = await PrivateHost.open();
  assert.equal((await host.run(...setup)).status, 0);
  const before = await everything(host);
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const refused = await host.run(...asNobody, ...remove);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /^Error: only root sees what setup made/);
  const silent = await host.run(coi, 'setup', '--remove');
  assert.equal(silent.status, 1);
  assert.match(silent.stderr, /^It leaves:$|- remove the installed program/m);
  assert.match(silent.stderr, /^Error: setup --remove asks/m);
  const alone = await host.run(coi, 'setup', '--sessions');
  assert.equal(alone.status, 2);
  assert.match(alone.stderr, /^Hint: coi setup --remove --sessions$/m);
  const options = {
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm' },
    cwd: '/',
    columns: 200,
  };
  const screen = startScreen(host.enter(coi, 'setup', '--remove'), options);
  await screen.waitFor('Go on? [y/N]');
  screen.type('n\r');
  assert.equal((await screen.ended()).status, 130);
  assert.match(screen.text(), /nothing was changed/);
  assertSame(await everything(host), before);
});
