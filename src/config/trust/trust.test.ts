import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ConfigFixture, failsWith } from '../../../test/bed/config-fixture.ts';
import { type HostFiles, hostFiles } from '../../host/fs/host-files.ts';
import { loadConfig } from '../load.ts';
import { readApprovals, writeApprovals } from './trust-store.ts';

let fixture: ConfigFixture;
beforeEach(() => {
  fixture = new ConfigFixture();
});
afterEach(() => fixture[Symbol.dispose]());

describe("trust in a project's configuration", () => {
  const loosening =
    '[network]\nmode = "open"\n[defaults]\nforward_env = ["TOKEN"]\n[container]\nimage = "x"\n';
  const approve = async () => {
    const { untrusted } = await fixture.load();
    writeApprovals(
      fixture.home,
      new Map(untrusted.map(({ path, digest }) => [path, digest])),
      { uid: 0, gid: 0 },
      hostFiles,
    );
  };

  test('harmless project values apply; loosening ones wait and say how to approve them', async () => {
    const path = fixture.project(loosening);
    const { settings, waiting, warnings, untrusted } = await fixture.load();
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

  test("an approval applies a project's values until any of them changes", async () => {
    fixture.project(loosening);
    await approve();
    const approved = await fixture.load();
    assert.equal(approved.settings['network.mode'], 'open');
    assert.deepEqual(approved.settings['defaults.forward_env'], ['TOKEN']);
    assert.deepEqual(approved.waiting, []);
    fixture.project(loosening.replace('image = "x"', 'image = "y"'));
    assert.equal(
      (await fixture.load()).settings['network.mode'],
      'open',
      'harmless changes need no new approval',
    );
    fixture.project(loosening.replace('"TOKEN"', '"TOKEN", "OTHER"'));
    const changed = await fixture.load();
    assert.equal(changed.settings['network.mode'], 'restricted');
    assert.equal(changed.waiting.length, 2);
  });

  test('approval of a mount ends when a link changes its target', async () => {
    mkdirSync(join(fixture.root, 'data'));
    mkdirSync(join(fixture.home, '.ssh'));
    symlinkSync(join(fixture.root, 'data'), join(fixture.workspace, 'data'));
    fixture.project('[[mounts]]\nhost = "data"\ncontainer = "/data"\n');
    await approve();
    assert.equal((await fixture.load()).settings['mounts.default'].length, 1);
    rmSync(join(fixture.workspace, 'data'));
    symlinkSync(join(fixture.home, '.ssh'), join(fixture.workspace, 'data'));
    const { settings, waiting } = await fixture.load();
    assert.deepEqual(settings['mounts.default'], []);
    assert.equal(waiting.length, 1);
  });

  test('a mount inside the workspace needs no approval unless a link leads out', async () => {
    mkdirSync(join(fixture.workspace, 'in'));
    symlinkSync(fixture.home, join(fixture.workspace, 'out'));
    symlinkSync(join(fixture.root, 'nothing-yet'), join(fixture.workspace, 'dangling'));
    fixture.project(
      ['in', 'in/new', 'out', 'out/new', 'dangling', '~/x', '/etc']
        .map((host) => `[[mounts]]\nhost = "${host}"\ncontainer = "/${host.replace('~', '')}"\n`)
        .join(''),
    );
    const { settings } = await fixture.load();
    assert.deepEqual(
      settings['mounts.default'].map(({ host }) => host),
      [join(fixture.workspace, 'in'), join(fixture.workspace, 'in/new')],
    );
  });

  test('COI_TRUST_ALL applies all project values except those reserved for the user', async () => {
    fixture.project(`${loosening}[git]\nwritable_hooks = true\n`);
    const { settings } = await fixture.load({ env: { COI_TRUST_ALL: 'yes' } });
    assert.equal(settings['network.mode'], 'open');
    assert.equal(settings['git.writable_hooks'], false);
    assert.equal(
      (await fixture.load({ env: { COI_TRUST_ALL: '0' } })).settings['network.mode'],
      'restricted',
    );
  });

  test('an approved mount uses the path that was checked, wherever its name leads later', async () => {
    for (const name of ['sub', 'other']) mkdirSync(join(fixture.workspace, name));
    symlinkSync('sub', join(fixture.workspace, 'link'));
    fixture.project('[[mounts]]\nhost = "link"\ncontainer = "/data"\n');
    const hosts = async (files = hostFiles) => {
      const { home, workspace } = fixture;
      const { settings } = await loadConfig(
        { home, workspace, cwd: workspace, env: {}, agentWorkspaces: () => [] },
        files,
      );
      return settings['mounts.default'].map(({ host }) => host);
    };
    const judged = join(fixture.workspace, 'sub');
    assert.deepEqual(await hosts(), [judged]);
    // Swaps the link between any two checks of it.
    let attempts = 0;
    const swapping: HostFiles = {
      ...hostFiles,
      realPath: (path) => {
        if (!path.endsWith('/link')) return hostFiles.realPath(path);
        attempts += 1;
        return attempts === 1 ? judged : '/root/private';
      },
    };
    assert.deepEqual(await hosts(swapping), [judged]);
    assert.equal(swapping.realPath(join(fixture.workspace, 'link')), '/root/private');
    const [untrusted] = (await fixture.load({ env: { COI_TRUST_ALL: '1' } })).untrusted;
    assert.equal(untrusted, undefined);
  });

  test('a project may lower a limit but not lift it', async () => {
    const limits = (memory: string, processes: number, hours: number, more = '') =>
      `[limits.memory]\nlimit = "${memory}"\n[limits.runtime]\nmax_processes = ${processes}\nmax_duration = "${hours}h"\n${more}`;
    fixture.user(limits('2GiB', 500, 2));
    fixture.project(limits('1GiB', 400, 1));
    const lower = await fixture.load();
    assert.deepEqual(lower.waiting, []);
    assert.equal(lower.settings['limits.memory.limit'], '1GiB');
    assert.equal(lower.settings['limits.runtime.max_processes'], 400);
    assert.equal(lower.settings['limits.runtime.max_duration'], 3_600_000);
    fixture.project(limits('64GiB', 100_000, 1000, 'auto_stop = false\n'));
    const lifted = await fixture.load();
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
    assert.equal((await fixture.load()).settings['limits.memory.limit'], '64GiB');
  });

  test('a rate for both directions does not replace a lower one for a single direction', async () => {
    fixture.user('[limits.disk]\nread = "1MiB"\n');
    fixture.project('[limits.disk]\nmax = "1GiB"\n');
    assert.equal((await fixture.load()).settings['limits.disk.max'], undefined);
    fixture.project('[limits.disk]\nmax = "512KiB"\n');
    assert.equal((await fixture.load()).settings['limits.disk.max'], '512KiB');
  });

  test('harmless variables apply at once, all others after approval', async () => {
    fixture.user('[defaults.environment]\nSHARED = "mine"\n');
    const obeyed = { PATH: '/workspace/bin', BASH_ENV: '/workspace/x', CLAUDE_CONFIG_DIR: '/x' };
    fixture.project(
      `[defaults.environment]\nNODE_ENV = "test"\nSHARED = "mine"\n${Object.entries(obeyed)
        .map(([name, value]) => `${name} = "${value}"\n`)
        .join('')}`,
    );
    const before = await fixture.load();
    assert.deepEqual(before.settings['defaults.environment'], { SHARED: 'mine', NODE_ENV: 'test' });
    // Names only: a value may be a secret.
    assert.deepEqual(
      before.waiting.map(({ text }) => text),
      ['defaults.environment = ["PATH","BASH_ENV","CLAUDE_CONFIG_DIR"]'],
    );
    await approve();
    assert.deepEqual((await fixture.load()).settings['defaults.environment'], {
      ...{ SHARED: 'mine', NODE_ENV: 'test' },
      ...obeyed,
    });
  });

  test("a mount over the agent's or the system's files needs approval", async () => {
    mkdirSync(join(fixture.workspace, 'in'));
    const at = (container: string) => `[[mounts]]\nhost = "in"\ncontainer = "${container}"\n`;
    fixture.project(
      ['/data', '/mnt/x', '/home/code/.claude', '/usr/local/bin', '/etc/profile.d', '/usr']
        .concat(['/./home/code/.local/bin', '//./usr/bin', '/.', '/'])
        .map(at)
        .join(''),
    );
    const { settings } = await fixture.load();
    assert.deepEqual(
      settings['mounts.default'].map(({ container }) => container),
      ['/data', '/mnt/x'],
    );
  });

  test("the agent's program needs approval, but values equal to the user's do not", async () => {
    fixture.project('[tool]\nbinary = "/workspace/claude"\n');
    assert.equal((await fixture.load()).settings['tool.binary'], undefined);
    fixture.user('[tool]\nbinary = "/workspace/claude"\n');
    assert.deepEqual((await fixture.load()).waiting, []);
    // Reserved for the user's own files; an approval does not change that.
    fixture.project('[tool]\npre_launch = ["id"]\n[monitoring]\nprocess_count_threshold = 1\n');
    const { settings, waiting } = await fixture.load({ env: { COI_TRUST_ALL: '1' } });
    assert.deepEqual([settings['tool.pre_launch'], waiting], [[], []]);
  });

  test("a project's profile is checked like its file and cannot replace a built-in one", async () => {
    fixture.user('[limits.memory]\nlimit = "1GiB"\n');
    const loose = 'environment = { PATH = "/x", CI = "1" }\n[limits.memory]\nlimit = "2GiB"\n';
    fixture.profile('mine', loose, fixture.workspace);
    const { settings, waiting } = await fixture.load({ profile: 'mine' });
    assert.deepEqual(settings['defaults.environment'], { CI: '1' });
    assert.equal(settings['limits.memory.limit'], '1GiB');
    assert.equal(waiting.length, 2);
    fixture.profile('hardened', '', fixture.workspace);
    await assert.rejects(
      fixture.load({ profile: 'hardened' }),
      failsWith('config-invalid', 'the profile hardened is built in'),
    );
    fixture.profile('default', '', fixture.workspace);
    await fixture.load({ profile: 'default' });
  });

  test('a damaged trust store approves nothing', async () => {
    fixture.project(loosening);
    fixture.write(join(fixture.home, '.coi/trust.toml'), 'approvals = {');
    await assert.rejects(fixture.load(), failsWith('config-invalid', 'trust.toml'));
  });

  test('the trust store is readable only by its owner and keeps existing entries', () => {
    const entries = new Map([
      ['/a "quoted" path/.coi/config.toml', 'd1'],
      ['/b', 'd2'],
    ]);
    writeApprovals(fixture.home, entries, { uid: 0, gid: 0 }, hostFiles);
    assert.deepEqual(readApprovals(fixture.home, hostFiles), entries);
    assert.match(readFileSync(join(fixture.home, '.coi/trust.toml'), 'utf8'), /^\[approvals\]/);
  });
});
