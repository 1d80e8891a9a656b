// `coi setup --remove` on hosts of its own, with a real Incus, a real pool on a loop device and a real coid.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idLinesText } from '../../src/setup/id-lines.ts';
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
  const steps = await host.killAtEachStep(remove);
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

test(
  'what other projects of Incus use is named and in the way; with --force it stays',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    assert.equal((await host.run(...setup)).status, 0);
    const before = await everything(host);
    const incus = async (...words: string[]) => {
      const said = await host.run('incus', ...words);
      assert.equal(said.status, 0, said.stderr);
    };
    await incus('project', 'create', 'work');
    const place = ['--storage', 'default', '--network', 'coibr0'];
    await incus('create', '--empty', 'web', '--project', 'work', ...place);
    const refused = await host.run(...remove);
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr,
      /^Error: other projects of Incus use what setup made: instances\/web \(project work\) uses the bridge coibr0 and the storage pool "default" and ids of root$/m,
    );
    assert.match(refused.stderr, /^Hint: .*coi setup --remove --force/m);
    assertSame(await everything(host), before);

    // A session that was moved there needs coid, whatever is wished.
    const keys = [
      ...['version=1', 'workspace=/w', 'session=s', 'slot=1', 'owner=0', 'network=restricted'],
      'mounts={"id":"m","runDir":"/run/coi","ownerUid":0,"ownerGid":0,"idmapBase":0,"mounts":[]}',
    ];
    await incus(
      ...['create', '--empty', 'coi-moved-1', '--project', 'work', '--storage', 'default'],
      ...keys.flatMap((key) => ['--config', `user.coi.${key}`]),
    );
    const session = await host.run(...remove, '--force', '--sessions');
    assert.equal(session.status, 1);
    assert.match(
      session.stderr,
      /^Error: sessions in other projects of Incus: coi-moved-1 \(project work\)\nHint: .*incus delete --force --project work coi-moved-1$/m,
    );
    assertSame(await everything(host), before);
    await incus('delete', '--project', 'work', 'coi-moved-1');

    const forced = await host.run(...remove, '--force');
    assert.equal(forced.status, 0, forced.stderr);
    assert.match(forced.stderr, /- the bridge coibr0, used by instances\/web \(project work\)$/m);
    assert.match(await ofIncus(host), /coibr0/);
    assert.match((await host.run('cat', '/etc/subuid')).stdout, /^root:/m);
    await incus('delete', '--project', 'work', 'web');
    const rest = await host.run(...remove);
    assert.equal(rest.status, 0, rest.stderr);
    assert.doesNotMatch(await ofIncus(host), /coibr0|pools\/default/);
    assert.doesNotMatch((await host.run('cat', '/etc/subuid')).stdout, /^root:/m);
  },
);

test(
  'single ids that coid gave root go, and those of which nobody knows stay and are told',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    const before = await everything(host);
    assert.equal((await host.run(...setup)).status, 0);
    const lines = [
      { path: '/etc/subuid', line: 'root:1234:1' },
      { path: '/etc/subgid', line: 'root:1234:1' },
    ];
    const note = idLinesText(lines).replaceAll('\n', '');
    const script = `echo '${note}' > /var/lib/coi/own-ids.json
    printf 'root:1234:1\\n' >> /etc/subuid; printf 'root:1234:1\\n' >> /etc/subgid
    printf 'root:4321:1\\n' >> /etc/subuid`;
    assert.equal((await host.run('sh', '-c', script)).status, 0);
    const said = await host.run(...remove);
    assert.equal(said.status, 0, said.stderr);
    assert.match(
      said.stderr,
      /- remove .*root:1234:1 in \/etc\/subuid .*root:1234:1 in \/etc\/subgid$/m,
    );
    assert.match(said.stderr, /- root:4321:1 in \/etc\/subuid: nothing tells who added it/);
    const after = await everything(host);
    assertSame(
      after.filter((line) => line !== 'etc/subuid:root:4321:1'),
      before,
    );
    assert.ok(after.includes('etc/subuid:root:4321:1'));
  },
);

test(
  'work that coid has left in a workspace is finished, or named with the way on',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    const before = await everything(host);
    assert.equal((await host.run(...setup)).status, 0);
    // A coid that runs looks only once a day at what it could not finish; a new one at once.
    const id = '0123456789abcdef';
    const write = (kind: string, name: string, note: object) => {
      const path = `/var/lib/coi/${kind}/${name}`;
      return host.run('sh', '-c', `echo '${JSON.stringify(note)}' > ${path}`);
    };
    await write('set-id', id, {
      ...{ id, container: 'coi-w-1', ownerUid: 0, ownerGid: 0, workspace: '/w' },
      ...{ sources: ['/w'], sinceMs: 0 },
    });
    await write('protect', '1-2.json', {
      ...{
        root: '/gone/w',
        device: 1,
        inode: 2,
        owner: { uid: 0, gid: 0 },
        missing: [],
        users: [],
      },
      ...{ request: { paths: [], mode: 'guard' }, state: { entries: [], made: [] } },
    });
    const said = await host.run(...remove);
    assert.equal(said.status, 1);
    assert.match(
      said.stderr,
      /^Error: coid could not finish .*: "\/gone\/w" \(its protected files still have the guard, and the directory is not there any more\)$/m,
    );
    assert.match(said.stderr, /^Hint: Put what was moved.*coi setup --remove --force/m);
    const forced = await host.run(...remove, '--force', '--json');
    assert.equal(forced.status, 0, forced.stderr);
    assert.match(forced.stderr, /^Warning: left unfinished: "\/gone\/w"/m);
    const { stays } = JSON.parse(forced.stdout) as { stays: string[] };
    assert.ok(stays.some((line) => line.startsWith('unfinished work in "/gone/w"')));
    assertSame(await everything(host), before);
  },
);

test('work that is left is not lost where no coid runs', limit, async () => {
  await using host = await PrivateHost.open();
  assert.equal((await host.run(...setup)).status, 0);
  assert.equal((await host.run(coi, 'daemon', 'stop')).status, 0);
  const note = { id: '0123456789abcdef', sources: ['/w'], ownerUid: 0, ownerGid: 0, idmapBase: 0 };
  const path = `/var/lib/coi/ownership/${note.id}`;
  await host.run('sh', '-c', `echo '${JSON.stringify(note)}' > ${path}`);
  const said = await host.run(...remove);
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stderr, /^ok {2}coid: gone/m);
  assert.doesNotMatch((await host.run('ps', '-e', '-o', 'args')).stdout, /daemon run/);
});
