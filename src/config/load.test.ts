import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ConfigFixture, failsWith } from '../../test/bed/config-fixture.ts';
import { originText } from './origin.ts';
import type { ConfigFacts } from './resolved-config.ts';

let fixture: ConfigFixture;
beforeEach(() => {
  fixture = new ConfigFixture();
});
afterEach(() => fixture[Symbol.dispose]());

describe('configuration layers', () => {
  test('without files every key has its default', async () => {
    const { settings, origins, warnings } = await fixture.load();
    assert.equal(settings['container.image'], 'coi-default');
    assert.deepEqual(origins['container.image'], [{ kind: 'default' }]);
    assert.deepEqual(warnings, []);
  });

  test('user, project, COI_CONFIG, variables, profile and flags override each other in this order', async () => {
    const image = (name: string) => `[container]\nimage = "${name}"\n`;
    const got = async (more: Partial<ConfigFacts> = {}) =>
      (await fixture.load(more)).settings['container.image'];
    fixture.user(image('user'));
    assert.equal(await got(), 'user');
    fixture.project(image('project'));
    assert.equal(await got(), 'project');
    const env: Record<string, string> = {
      COI_CONFIG: fixture.write(join(fixture.root, 'named.toml'), image('named')),
    };
    assert.equal(await got({ env }), 'named');
    env['CLAUDE_ON_INCUS_IMAGE'] = 'variable';
    assert.equal(await got({ env }), 'variable');
    fixture.profile('p', image('profile'));
    assert.equal(await got({ env, profile: 'p' }), 'profile');
    assert.equal(await got({ env, profile: 'p', flags: { 'container.image': 'flag' } }), 'flag');
  });

  test('every value records its origin', async () => {
    const path = fixture.user('# mine\n[container]\n\nimage = "x"\n');
    fixture.profile('p', '[tool]\nname = "codex"\n');
    const { origins } = await fixture.load({
      profile: 'p',
      env: { COI_LIMIT_CPU: '2' },
      flags: { 'network.mode': 'open' },
    });
    const texts = (
      [
        'container.image',
        'tool.name',
        'limits.cpu.count',
        'network.mode',
        'container.docker',
      ] as const
    ).map((key) => origins[key].map(originText).join());
    assert.deepEqual(texts, [
      `${path}:4`,
      `profile p (${fixture.home}/.coi/profiles/p/config.toml:2)`,
      '$COI_LIMIT_CPU',
      'command line',
      'default',
    ]);
  });

  test('a file that sets one key keeps all other defaults', async () => {
    fixture.user('[network]\nrefresh_interval_minutes = 5\n');
    const { settings } = await fixture.load();
    assert.equal(settings['network.mode'], 'restricted');
    assert.equal(settings['network.block_private_networks'], true);
    assert.equal(settings['network.block_metadata_endpoint'], true);
  });

  test('both mount syntaxes are read and paths are resolved', async () => {
    fixture.user(
      '[[mounts.default]]\nhost = "~/a"\ncontainer = "/a"\n[container.build]\nscript = "build.sh"\n',
    );
    fixture.project('[[mounts]]\nhost = "b"\ncontainer = "/b"\nreadonly = true\n');
    const { settings } = await fixture.load();
    assert.deepEqual(
      settings['mounts.default'].map(({ host, readonly }) => [host, readonly]),
      [
        [join(fixture.home, 'a'), false],
        [join(fixture.workspace, 'b'), true],
      ],
    );
    assert.equal(settings['container.build.script'], join(fixture.home, '.coi/build.sh'));
  });

  test("a configuration in the home directory is the user's, not a project's", async () => {
    fixture.user('[git]\nwritable_hooks = true\n[network]\nmode = "open"\n');
    symlinkSync(fixture.home, join(fixture.root, 'home-link'));
    for (const workspace of [fixture.home, join(fixture.root, 'home-link')]) {
      const { settings, warnings } = await fixture.load({ workspace });
      assert.equal(settings['network.mode'], 'open');
      assert.equal(settings['git.writable_hooks'], true);
      assert.deepEqual(warnings, []);
    }
  });

  test("the user's file may be a link, as with dotfiles", async () => {
    fixture.write(join(fixture.root, 'dotfiles/coi.toml'), '[container]\nimage = "linked"\n');
    mkdirSync(join(fixture.home, '.coi'));
    symlinkSync(join(fixture.root, 'dotfiles/coi.toml'), join(fixture.home, '.coi/config.toml'));
    assert.equal((await fixture.load()).settings['container.image'], 'linked');
  });
});

describe('invalid configuration files', () => {
  test('an unknown key is reported with file, line and a suggestion', async () => {
    const path = fixture.user('[container]\nimgae = "x"\n');
    await assert.rejects(
      fixture.load(),
      failsWith('config-invalid', `${path}:2: container.imgae`, 'container.image'),
    );
    fixture.user('[contianer]\nimage = "x"\n');
    await assert.rejects(
      fixture.load(),
      failsWith('config-invalid', ':1: contianer', 'Did you mean container?'),
    );
    fixture.user('[network]\nmode = "alowlist"\n');
    await assert.rejects(
      fixture.load(),
      failsWith('config-invalid', ':2: network.mode', 'Did you mean "allowlist"?'),
    );
    fixture.user('[tool]\nforward_env = ["A"]\n');
    await assert.rejects(fixture.load(), failsWith('config-invalid', 'defaults.forward_env'));
  });

  test('all problems are reported at once', async () => {
    fixture.user(
      '[container]\npersistent = "yes"\n[limits.cpu]\ncount = "many"\npriority = 11\n[[mounts.default]]\nhost = "/x"\n',
    );
    await assert.rejects(
      fixture.load(),
      failsWith(
        'config-invalid',
        ':2: container.persistent',
        ':4: limits.cpu.count',
        ':5: limits.cpu.priority',
        /:6: mounts\.default\[0\] needs container/,
      ),
    );
  });

  test('a file that is not TOML, not text or too large is refused with name and line', async () => {
    const path = fixture.user('[container]\nimage = "x\n');
    await assert.rejects(fixture.load(), failsWith('config-invalid', `${path}:2`));
    fixture.user('a = "\0"');
    await assert.rejects(fixture.load(), failsWith('config-invalid', path, 'NUL'));
    fixture.write(path, Buffer.from([0x61, 0x20, 0x3d, 0x20, 0x22, 0xff, 0xfe, 0x22]));
    await assert.rejects(fixture.load(), failsWith('config-invalid', path, 'UTF-8'));
    truncateSync(path, 10 * 2 ** 20);
    await assert.rejects(fixture.load(), failsWith('config-invalid', path, 'larger'));
  });

  test('nesting deep enough to exhaust a parser is refused', async () => {
    const path = fixture.user(`a = ${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    await assert.rejects(fixture.load(), failsWith('config-invalid', path));
  });

  test("a directory, FIFO or link in place of a project's file is refused", async () => {
    const path = join(fixture.workspace, '.coi/config.toml');
    mkdirSync(path, { recursive: true });
    await assert.rejects(fixture.load(), failsWith('config-invalid', path, 'directory'));
    rmSync(path, { recursive: true });
    execFileSync('mkfifo', [path]);
    await assert.rejects(fixture.load(), failsWith('config-invalid', path, 'FIFO'));
    rmSync(path);
    symlinkSync(
      fixture.write(join(fixture.root, 'elsewhere.toml'), '[container]\nimage = "x"\n'),
      path,
    );
    await assert.rejects(fixture.load(), failsWith('config-invalid', path, 'link'));
  });

  test('a key that moved since an older version is reported with its new name', async () => {
    fixture.user('[defaults]\nimage = "x"\n');
    await assert.rejects(
      fixture.load(),
      failsWith('config-invalid', ':2: defaults.image has moved to [container] image'),
    );
    fixture.user('');
    fixture.profile('p', 'persistent = true\n');
    await assert.rejects(
      fixture.load({ profile: 'p' }),
      failsWith('config-invalid', ':1: persistent has moved to [container] persistent'),
    );
    fixture.write(join(fixture.workspace, '.coi.toml'), '');
    await assert.rejects(fixture.load(), failsWith('config-invalid', '.coi.toml', 'mv '));
  });

  test("a file in the user's old location is reported, and loading continues", async () => {
    fixture.write(join(fixture.home, '.config/coi/config.toml'), '[defaults]\nimage = "x"\n');
    const { warnings } = await fixture.load();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /\.config\/coi\/config\.toml is no longer read: move it to/);
  });

  test('COI_CONFIG must name a file, and variables must have valid values', async () => {
    await assert.rejects(
      fixture.load({ env: { COI_CONFIG: 'none.toml' } }),
      failsWith('config-invalid', join(fixture.workspace, 'none.toml'), 'COI_CONFIG'),
    );
    await assert.rejects(
      fixture.load({ env: { COI_LIMIT_MEMORY: 'lots' } }),
      failsWith('config-invalid', '$COI_LIMIT_MEMORY'),
    );
  });
});
