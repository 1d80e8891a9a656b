// `coi setup --remove` on private hosts with a real Incus, a real pool on a loop device and a real coid.
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

/** All configuration files and programs of the host, and its accounts. */
async function listHostFiles(host: PrivateHost): Promise<string[]> {
  const kinds = '\\( -type f -o -type l \\)';
  const script = `cd / && find etc usr/local var/lib/coi run/coi var/log/coi ${kinds} -printf '%p %y %m %U %l\\n'
    grep -H '' etc/subuid etc/subgid etc/group`;
  const lines = (await host.run('sh', '-c', script)).stdout.split('\n');
  // Backups that passwd and similar tools keep.
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
  const requests = ['storage-pools', 'networks', 'profiles/default'].map((path) =>
    host.run('incus', 'query', `/1.0/${path}`),
  );
  return (await Promise.all(requests)).map(({ stdout }) => stdout).join('');
}

test('setup --remove restores the host, which can then be set up again', limit, async () => {
  await using host = await PrivateHost.open();
  await host.run('sh', '-c', 'mkdir -p /usr/local/bin && echo before > /usr/local/bin/coi');
  const before = await listHostFiles(host);
  const first = await host.run(...setup);
  assert.equal(first.status, 0, first.stderr);
  assert.notDeepEqual(await listHostFiles(host), before);
  assert.match(await ofIncus(host), /coibr0/);
  assert.match((await host.run('man', '-w', 'coi')).stdout, /\/usr\/local\/lib\/coi\/.*coi\.1/);

  const result = await host.run(...remove);
  assert.equal(result.status, 0, result.stderr);
  for (const part of [
    /- stop coid$/m,
    /- delete the nftables tables inet coi and bridge coi$/m,
    /- remove root and eth0 from Incus's default profile$/m,
    /- delete the bridge coibr0$/m,
    /- delete the storage pool "default"$/m,
    /- remove root:\d+:\d+ in \/etc\/subuid and root:\d+:\d+ in \/etc\/subgid$/m,
    /- remove the installed program and its man page$/m,
  ])
    assert.match(result.stderr, part);
  assert.equal(result.stdout, 'Removed what setup made on this host.\n');
  assertSame(await listHostFiles(host), before);
  assert.doesNotMatch(await ofIncus(host), /coibr0|pools\/default|"pool"/);
  assert.doesNotMatch((await host.run('nft', 'list', 'tables')).stdout, /coi/);
  assert.doesNotMatch((await host.run('ps', '-e', '-o', 'args')).stdout, /daemon run/);

  const again = await host.run(...remove);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stdout, /^Nothing to remove/);
  const second = await host.run(...setup);
  assert.equal(second.status, 0, second.stderr);
});

test('a removal that is killed at any step is completed by the next one', limit, async () => {
  await using host = await PrivateHost.open();
  const before = await listHostFiles(host);
  assert.equal((await host.run(...setup)).status, 0);
  await host.killAtEachStep(remove, {
    titles: ['coid', 'Network bridge', 'Storage pool', 'Container id ranges', 'coi'],
    undo: setup,
  });
  assertSame(await listHostFiles(host), before);
  assert.doesNotMatch(await ofIncus(host), /coibr0|pools\/default/);
});

test('setup --remove keeps items that others use, and says why', limit, async () => {
  await using host = await PrivateHost.open();
  assert.equal((await host.run(...setup)).status, 0);
  await host.run('incus', 'create', '--empty', 'web');
  await host.run('sh', '-c', 'echo "kernel.panic = 1" > /etc/sysctl.d/60-coi.conf');
  const result = await host.run(...remove, '--json');
  assert.equal(result.status, 0, result.stderr);
  const { removed, stays } = JSON.parse(result.stdout) as {
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
  // Once it is gone, the rest can go too: the record still names setup's items.
  await host.run('incus', 'delete', 'web');
  const rest = await host.run(...remove);
  assert.equal(rest.status, 0, rest.stderr);
  assert.doesNotMatch(await ofIncus(host), /coibr0|pools\/default/);
  assert.doesNotMatch((await host.run('cat', '/etc/subuid')).stdout, /^root:/m);
});

test(
  'setup --remove asks, and changes nothing without root, a terminal or --remove',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    assert.equal((await host.run(...setup)).status, 0);
    const before = await listHostFiles(host);
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const refused = await host.run(...asNobody, ...remove);
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /^Error: only root can undo what setup did/);
    const silent = await host.run(coi, 'setup', '--remove');
    assert.equal(silent.status, 1);
    assert.match(silent.stderr, /^It keeps:$|- remove the installed program/m);
    assert.match(silent.stderr, /^Error: setup --remove needs confirmation/m);
    const alone = await host.run(coi, 'setup', '--sessions');
    assert.equal(alone.status, 2);
    assert.match(alone.stderr, /^Hint: Run `coi setup --remove --sessions`\.$/m);
    const options = {
      env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm' },
      cwd: '/',
      columns: 200,
    };
    const screen = startScreen(host.enter(coi, 'setup', '--remove'), options);
    await screen.waitFor('Continue? [y/N]');
    screen.type('n\r');
    assert.equal((await screen.ended()).status, 130);
    assert.match(screen.text(), /nothing was changed/);
    assertSame(await listHostFiles(host), before);
  },
);

test(
  'items that other Incus projects use block the removal; with --force they stay',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    assert.equal((await host.run(...setup)).status, 0);
    const before = await listHostFiles(host);
    const incus = async (...words: string[]) => {
      const result = await host.run('incus', ...words);
      assert.equal(result.status, 0, result.stderr);
    };
    await incus('project', 'create', 'work');
    const placement = ['--storage', 'default', '--network', 'coibr0'];
    await incus('create', '--empty', 'web', '--project', 'work', ...placement);
    const refused = await host.run(...remove);
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr,
      /^Error: other projects of Incus use what setup made: instances\/web \(project work\) uses the bridge coibr0 and the storage pool "default" and ids of root$/m,
    );
    assert.match(refused.stderr, /^Hint: .*coi setup --remove --force/m);
    assertSame(await listHostFiles(host), before);

    // A session that was moved there needs coid, whatever was requested.
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
    assertSame(await listHostFiles(host), before);
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
  'single ids that coid gave root are removed; those of unknown origin stay and are reported',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    const before = await listHostFiles(host);
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
    const result = await host.run(...remove);
    assert.equal(result.status, 0, result.stderr);
    assert.match(
      result.stderr,
      /- remove .*root:1234:1 in \/etc\/subuid .*root:1234:1 in \/etc\/subgid$/m,
    );
    assert.match(result.stderr, /- root:4321:1 in \/etc\/subuid: its origin is unknown/);
    const after = await listHostFiles(host);
    assertSame(
      after.filter((line) => line !== 'etc/subuid:root:4321:1'),
      before,
    );
    assert.ok(after.includes('etc/subuid:root:4321:1'));
  },
);

test(
  'unfinished work of coid in a workspace is completed, or reported with the next step',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    const before = await listHostFiles(host);
    assert.equal((await host.run(...setup)).status, 0);
    // A running coid retries unfinished work only once a day; a new one at once.
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
    const result = await host.run(...remove);
    assert.equal(result.status, 1);
    assert.match(
      result.stderr,
      /^Error: coid could not finish .*: "\/gone\/w" \(its protected files still have the guard, and the directory no longer exists\)$/m,
    );
    assert.match(
      result.stderr,
      /^Hint: Move or mount the missing directories.*coi setup --remove --force/m,
    );
    const forced = await host.run(...remove, '--force', '--json');
    assert.equal(forced.status, 0, forced.stderr);
    assert.match(forced.stderr, /^Warning: left unfinished: "\/gone\/w"/m);
    const { stays } = JSON.parse(forced.stdout) as { stays: string[] };
    assert.ok(stays.some((line) => line.startsWith('unfinished work in "/gone/w"')));
    assertSame(await listHostFiles(host), before);
  },
);

test('unfinished work is not lost if no coid runs', limit, async () => {
  await using host = await PrivateHost.open();
  assert.equal((await host.run(...setup)).status, 0);
  assert.equal((await host.run(coi, 'daemon', 'stop')).status, 0);
  const note = { id: '0123456789abcdef', sources: ['/w'], ownerUid: 0, ownerGid: 0, idmapBase: 0 };
  const path = `/var/lib/coi/ownership/${note.id}`;
  await host.run('sh', '-c', `echo '${JSON.stringify(note)}' > ${path}`);
  const result = await host.run(...remove);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stderr, /^ok {3}coid: removed/m);
  assert.doesNotMatch((await host.run('ps', '-e', '-o', 'args')).stdout, /daemon run/);
});
