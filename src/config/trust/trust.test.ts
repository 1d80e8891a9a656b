import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ConfigPlace, failsWith } from '../../../test/bed/config-place.ts';
import { type HostFiles, hostFiles } from '../../host/fs/host-files.ts';
import { loadConfig } from '../load.ts';
import { approvals, writeApprovals } from './trust-store.ts';

let place: ConfigPlace;
beforeEach(() => {
  place = new ConfigPlace();
});
afterEach(() => place[Symbol.dispose]());

describe('what a project may not decide by itself', () => {
  const loosening =
    '[network]\nmode = "open"\n[defaults]\nforward_env = ["TOKEN"]\n[container]\nimage = "x"\n';
  const approve = async () => {
    const { untrusted } = await place.load();
    writeApprovals(
      place.home,
      new Map(untrusted.map(({ path, digest }) => [path, digest])),
      { uid: 0, gid: 0 },
      hostFiles,
    );
  };

  test('what is harmless counts, what loosens waits and says how to approve it', async () => {
    const path = place.project(loosening);
    const { settings, waiting, warnings, untrusted } = await place.load();
    assert.equal(settings['container.image'], 'x');
    assert.equal(settings['network.mode'], 'restricted');
    assert.deepEqual(settings['defaults.forward_env'], []);
    assert.deepEqual(
      waiting.map(({ source, line, text }) => [source, line, text]),
      [
        [path, 2, 'network.mode = "open"'],
        [path, 4, 'defaults.forward_env = ["TOKEN"]'],
      ],
    );
    assert.ok(warnings.every((warning) => warning.includes('coi trust')));
    assert.equal(untrusted[0]?.approved, false);
  });

  test('an approval puts it in force, until anything of it changes', async () => {
    place.project(loosening);
    await approve();
    const approved = await place.load();
    assert.equal(approved.settings['network.mode'], 'open');
    assert.deepEqual(approved.settings['defaults.forward_env'], ['TOKEN']);
    assert.deepEqual(approved.waiting, []);
    place.project(loosening.replace('image = "x"', 'image = "y"'));
    assert.equal(
      (await place.load()).settings['network.mode'],
      'open',
      'harmless changes need no new approval',
    );
    place.project(loosening.replace('"TOKEN"', '"TOKEN", "OTHER"'));
    const changed = await place.load();
    assert.equal(changed.settings['network.mode'], 'restricted');
    assert.equal(changed.waiting.length, 2);
  });

  test('an approval of a mount ends when a link leads it elsewhere', async () => {
    mkdirSync(join(place.root, 'data'));
    mkdirSync(join(place.home, '.ssh'));
    symlinkSync(join(place.root, 'data'), join(place.workspace, 'data'));
    place.project('[[mounts]]\nhost = "data"\ncontainer = "/data"\n');
    await approve();
    assert.equal((await place.load()).settings['mounts.default'].length, 1);
    rmSync(join(place.workspace, 'data'));
    symlinkSync(join(place.home, '.ssh'), join(place.workspace, 'data'));
    const { settings, waiting } = await place.load();
    assert.deepEqual(settings['mounts.default'], []);
    assert.equal(waiting.length, 1);
  });

  test('a mount inside of the workspace needs no approval, unless a link leads out', async () => {
    mkdirSync(join(place.workspace, 'in'));
    symlinkSync(place.home, join(place.workspace, 'out'));
    symlinkSync(join(place.root, 'nothing-yet'), join(place.workspace, 'dangling'));
    place.project(
      ['in', 'in/new', 'out', 'out/new', 'dangling', '~/x', '/etc']
        .map((host) => `[[mounts]]\nhost = "${host}"\ncontainer = "/${host.replace('~', '')}"\n`)
        .join(''),
    );
    const { settings } = await place.load();
    assert.deepEqual(
      settings['mounts.default'].map(({ host }) => host),
      [join(place.workspace, 'in'), join(place.workspace, 'in/new')],
    );
  });

  test('COI_TRUST_ALL puts all of it in force, but not what only the user may say', async () => {
    place.project(`${loosening}[git]\nwritable_hooks = true\n`);
    const { settings } = await place.load({ env: { COI_TRUST_ALL: 'yes' } });
    assert.equal(settings['network.mode'], 'open');
    assert.equal(settings['git.writable_hooks'], false);
    assert.equal(
      (await place.load({ env: { COI_TRUST_ALL: '0' } })).settings['network.mode'],
      'restricted',
    );
  });

  test('a mount is in force at the place that was judged, wherever its name leads a moment later', async () => {
    for (const name of ['sub', 'other']) mkdirSync(join(place.workspace, name));
    symlinkSync('sub', join(place.workspace, 'link'));
    place.project('[[mounts]]\nhost = "link"\ncontainer = "/data"\n');
    const hosts = async (files = hostFiles) => {
      const { home, workspace } = place;
      const { settings } = await loadConfig(
        { home, workspace, cwd: workspace, env: {}, workedIn: () => [] },
        files,
      );
      return settings['mounts.default'].map(({ host }) => host);
    };
    const judged = join(place.workspace, 'sub');
    assert.deepEqual(await hosts(), [judged]);
    // Somebody who swaps the link between any two questions for it.
    let asked = 0;
    const swapping: HostFiles = {
      ...hostFiles,
      realPath: (path) => {
        if (!path.endsWith('/link')) return hostFiles.realPath(path);
        asked += 1;
        return asked === 1 ? judged : '/root/private';
      },
    };
    assert.deepEqual(await hosts(swapping), [judged]);
    assert.equal(swapping.realPath(join(place.workspace, 'link')), '/root/private');
    const [untrusted] = (await place.load({ env: { COI_TRUST_ALL: '1' } })).untrusted;
    assert.equal(untrusted, undefined);
  });

  test('a limit may be lowered, not lifted', async () => {
    const limits = (memory: string, processes: number, hours: number, more = '') =>
      `[limits.memory]\nlimit = "${memory}"\n[limits.runtime]\nmax_processes = ${processes}\nmax_duration = "${hours}h"\n${more}`;
    place.user(limits('2GiB', 500, 2));
    place.project(limits('1GiB', 400, 1));
    const lower = await place.load();
    assert.deepEqual(lower.waiting, []);
    assert.equal(lower.settings['limits.memory.limit'], '1GiB');
    assert.equal(lower.settings['limits.runtime.max_processes'], 400);
    assert.equal(lower.settings['limits.runtime.max_duration'], 3_600_000);
    place.project(limits('64GiB', 100_000, 1000, 'auto_stop = false\n'));
    const lifted = await place.load();
    assert.equal(lifted.settings['limits.memory.limit'], '2GiB');
    assert.equal(lifted.settings['limits.runtime.max_processes'], 500);
    assert.equal(lifted.settings['limits.runtime.max_duration'], 7_200_000);
    assert.equal(lifted.settings['limits.runtime.auto_stop'], true);
    assert.deepEqual(
      lifted.waiting.map(({ text }) => text),
      [
        'limits.memory.limit = "64GiB"',
        'limits.runtime.max_processes = 100000',
        'limits.runtime.max_duration = "1000h"',
        'limits.runtime.auto_stop = false',
      ],
    );
    await approve();
    assert.equal((await place.load()).settings['limits.memory.limit'], '64GiB');
  });

  test('a rate for both directions does not take the place of a lower one for one of them', async () => {
    place.user('[limits.disk]\nread = "1MiB"\n');
    place.project('[limits.disk]\nmax = "1GiB"\n');
    assert.equal((await place.load()).settings['limits.disk.max'], undefined);
    place.project('[limits.disk]\nmax = "512KiB"\n');
    assert.equal((await place.load()).settings['limits.disk.max'], '512KiB');
  });

  test('harmless variables count at once, all others when they are approved', async () => {
    place.user('[defaults.environment]\nSHARED = "mine"\n');
    const obeyed = { PATH: '/workspace/bin', BASH_ENV: '/workspace/x', CLAUDE_CONFIG_DIR: '/x' };
    place.project(
      `[defaults.environment]\nNODE_ENV = "test"\nSHARED = "mine"\n${Object.entries(obeyed)
        .map(([name, value]) => `${name} = "${value}"\n`)
        .join('')}`,
    );
    const before = await place.load();
    assert.deepEqual(before.settings['defaults.environment'], { SHARED: 'mine', NODE_ENV: 'test' });
    // Names only: a value may be a secret.
    assert.deepEqual(
      before.waiting.map(({ text }) => text),
      ['defaults.environment = ["PATH","BASH_ENV","CLAUDE_CONFIG_DIR"]'],
    );
    await approve();
    assert.deepEqual((await place.load()).settings['defaults.environment'], {
      ...{ SHARED: 'mine', NODE_ENV: 'test' },
      ...obeyed,
    });
  });

  test("a mount waits where it would take the place of the agent's or the system's files", async () => {
    mkdirSync(join(place.workspace, 'in'));
    const at = (container: string) => `[[mounts]]\nhost = "in"\ncontainer = "${container}"\n`;
    place.project(
      ['/data', '/mnt/x', '/home/code/.claude', '/usr/local/bin', '/etc/profile.d', '/usr']
        .concat(['/./home/code/.local/bin', '//./usr/bin', '/.', '/'])
        .map(at)
        .join(''),
    );
    const { settings } = await place.load();
    assert.deepEqual(
      settings['mounts.default'].map(({ container }) => container),
      ['/data', '/mnt/x'],
    );
  });

  test("the agent's program waits, and what says the same as the user does not", async () => {
    place.project('[tool]\nbinary = "/workspace/claude"\n');
    assert.equal((await place.load()).settings['tool.binary'], undefined);
    place.user('[tool]\nbinary = "/workspace/claude"\n');
    assert.deepEqual((await place.load()).waiting, []);
    // Only the user's own files may say these, and an approval changes nothing about it.
    place.project('[tool]\npre_launch = ["id"]\n[monitoring]\nprocess_count_threshold = 1\n');
    const { settings, waiting } = await place.load({ env: { COI_TRUST_ALL: '1' } });
    assert.deepEqual([settings['tool.pre_launch'], waiting], [[], []]);
  });

  test('a profile of the project is judged as its file, and cannot take the place of a built-in one', async () => {
    place.user('[limits.memory]\nlimit = "1GiB"\n');
    const loose = 'environment = { PATH = "/x", CI = "1" }\n[limits.memory]\nlimit = "2GiB"\n';
    place.profile('mine', loose, place.workspace);
    const { settings, waiting } = await place.load({ profile: 'mine' });
    assert.deepEqual(settings['defaults.environment'], { CI: '1' });
    assert.equal(settings['limits.memory.limit'], '1GiB');
    assert.equal(waiting.length, 2);
    place.profile('hardened', '', place.workspace);
    await assert.rejects(
      place.load({ profile: 'hardened' }),
      failsWith('config-invalid', 'the profile hardened is built in'),
    );
    place.profile('default', '', place.workspace);
    await place.load({ profile: 'default' });
  });

  test('a damaged trust store approves nothing', async () => {
    place.project(loosening);
    place.write(join(place.home, '.coi/trust.toml'), 'approvals = {');
    await assert.rejects(place.load(), failsWith('config-invalid', 'trust.toml'));
  });

  test('the trust store is readable for nobody else and keeps what it had', () => {
    const entries = new Map([
      ['/a "quoted" path/.coi/config.toml', 'd1'],
      ['/b', 'd2'],
    ]);
    writeApprovals(place.home, entries, { uid: 0, gid: 0 }, hostFiles);
    assert.deepEqual(approvals(place.home, hostFiles), entries);
    assert.match(readFileSync(join(place.home, '.coi/trust.toml'), 'utf8'), /^\[approvals\]/);
  });
});
