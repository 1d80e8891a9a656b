import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ConfigPlace, failsWith } from '../../test/bed/config-place.ts';
import { originText } from './origin.ts';
import type { ConfigFacts } from './resolved-config.ts';

let place: ConfigPlace;
beforeEach(() => {
  place = new ConfigPlace();
});
afterEach(() => place[Symbol.dispose]());

describe('layers', () => {
  test('without files everything is a default', async () => {
    const { settings, origins, warnings } = await place.load();
    assert.equal(settings['container.image'], 'coi-default');
    assert.deepEqual(origins['container.image'], [{ kind: 'default' }]);
    assert.deepEqual(warnings, []);
  });

  test('the user, the project, COI_CONFIG, variables, profile and flags follow each other', async () => {
    const image = (name: string) => `[container]\nimage = "${name}"\n`;
    const got = async (more: Partial<ConfigFacts> = {}) =>
      (await place.load(more)).settings['container.image'];
    place.user(image('user'));
    assert.equal(await got(), 'user');
    place.project(image('project'));
    assert.equal(await got(), 'project');
    const env: Record<string, string> = {
      COI_CONFIG: place.write(join(place.root, 'named.toml'), image('named')),
    };
    assert.equal(await got({ env }), 'named');
    env['CLAUDE_ON_INCUS_IMAGE'] = 'variable';
    assert.equal(await got({ env }), 'variable');
    place.profile('p', image('profile'));
    assert.equal(await got({ env, profile: 'p' }), 'profile');
    assert.equal(await got({ env, profile: 'p', flags: { 'container.image': 'flag' } }), 'flag');
  });

  test('every value tells where it came from', async () => {
    const path = place.user('# mine\n[container]\n\nimage = "x"\n');
    place.profile('p', '[tool]\nname = "codex"\n');
    const { origins } = await place.load({
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
      `profile p (${place.home}/.coi/profiles/p/config.toml:2)`,
      '$COI_LIMIT_CPU',
      'command line',
      'default',
    ]);
  });

  test('a file that sets one key leaves every other default in force', async () => {
    place.user('[network]\nrefresh_interval_minutes = 5\n');
    const { settings } = await place.load();
    assert.equal(settings['network.mode'], 'restricted');
    assert.equal(settings['network.block_private_networks'], true);
    assert.equal(settings['network.block_metadata_endpoint'], true);
  });

  test('both forms of mounts are read, and paths start where they should', async () => {
    place.user(
      '[[mounts.default]]\nhost = "~/a"\ncontainer = "/a"\n[container.build]\nscript = "build.sh"\n',
    );
    place.project('[[mounts]]\nhost = "b"\ncontainer = "/b"\nreadonly = true\n');
    const { settings } = await place.load();
    assert.deepEqual(
      settings['mounts.default'].map(({ host, readonly }) => [host, readonly]),
      [
        [join(place.home, 'a'), false],
        [join(place.workspace, 'b'), true],
      ],
    );
    assert.equal(settings['container.build.script'], join(place.home, '.coi/build.sh'));
  });

  test('in the home directory the file is the user’s own, not a project’s', async () => {
    place.user('[git]\nwritable_hooks = true\n[network]\nmode = "open"\n');
    symlinkSync(place.home, join(place.root, 'home-link'));
    for (const workspace of [place.home, join(place.root, 'home-link')]) {
      const { settings, warnings } = await place.load({ workspace });
      assert.equal(settings['network.mode'], 'open');
      assert.equal(settings['git.writable_hooks'], true);
      assert.deepEqual(warnings, []);
    }
  });

  test('a file of the user may be a link, as dotfiles are', async () => {
    place.write(join(place.root, 'dotfiles/coi.toml'), '[container]\nimage = "linked"\n');
    mkdirSync(join(place.home, '.coi'));
    symlinkSync(join(place.root, 'dotfiles/coi.toml'), join(place.home, '.coi/config.toml'));
    assert.equal((await place.load()).settings['container.image'], 'linked');
  });
});

describe('bad files', () => {
  test('an unknown key is named with file and line, and the right one suggested', async () => {
    const path = place.user('[container]\nimgae = "x"\n');
    await assert.rejects(
      place.load(),
      failsWith('config-invalid', `${path}:2: container.imgae`, 'container.image'),
    );
    place.user('[contianer]\nimage = "x"\n');
    await assert.rejects(
      place.load(),
      failsWith('config-invalid', ':1: contianer', 'Did you mean container?'),
    );
    place.user('[network]\nmode = "alowlist"\n');
    await assert.rejects(
      place.load(),
      failsWith('config-invalid', ':2: network.mode', 'Did you mean "allowlist"?'),
    );
    place.user('[tool]\nforward_env = ["A"]\n');
    await assert.rejects(place.load(), failsWith('config-invalid', 'defaults.forward_env'));
  });

  test('all that is wrong is told at once', async () => {
    place.user(
      '[container]\npersistent = "yes"\n[limits.cpu]\ncount = "many"\npriority = 11\n[[mounts.default]]\nhost = "/x"\n',
    );
    await assert.rejects(
      place.load(),
      failsWith(
        'config-invalid',
        ':2: container.persistent',
        ':4: limits.cpu.count',
        ':5: limits.cpu.priority',
        /:6: mounts\.default\[0\] needs container/,
      ),
    );
  });

  test('what is no TOML, no text or too large is refused by name and line', async () => {
    const path = place.user('[container]\nimage = "x\n');
    await assert.rejects(place.load(), failsWith('config-invalid', `${path}:2`));
    place.user('a = "\0"');
    await assert.rejects(place.load(), failsWith('config-invalid', path, 'NUL'));
    place.write(path, Buffer.from([0x61, 0x20, 0x3d, 0x20, 0x22, 0xff, 0xfe, 0x22]));
    await assert.rejects(place.load(), failsWith('config-invalid', path, 'UTF-8'));
    truncateSync(path, 10 * 2 ** 20);
    await assert.rejects(place.load(), failsWith('config-invalid', path, 'larger'));
  });

  test('nesting that would exhaust a parser is refused', async () => {
    const path = place.user(`a = ${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    await assert.rejects(place.load(), failsWith('config-invalid', path));
  });

  test('a directory, a FIFO or a link in the place of a project’s file is refused', async () => {
    const path = join(place.workspace, '.coi/config.toml');
    mkdirSync(path, { recursive: true });
    await assert.rejects(place.load(), failsWith('config-invalid', path, 'directory'));
    rmSync(path, { recursive: true });
    execFileSync('mkfifo', [path]);
    await assert.rejects(place.load(), failsWith('config-invalid', path, 'FIFO'));
    rmSync(path);
    symlinkSync(
      place.write(join(place.root, 'elsewhere.toml'), '[container]\nimage = "x"\n'),
      path,
    );
    await assert.rejects(place.load(), failsWith('config-invalid', path, 'link'));
  });

  test('what moved since older versions says where to', async () => {
    place.user('[defaults]\nimage = "x"\n');
    await assert.rejects(
      place.load(),
      failsWith('config-invalid', ':2: defaults.image has moved to [container] image'),
    );
    place.user('');
    place.profile('p', 'persistent = true\n');
    await assert.rejects(
      place.load({ profile: 'p' }),
      failsWith('config-invalid', ':1: persistent has moved to [container] persistent'),
    );
    place.write(join(place.workspace, '.coi.toml'), '');
    await assert.rejects(place.load(), failsWith('config-invalid', '.coi.toml', 'mv '));
  });

  test('a file in the user’s old place is named, and the rest goes on', async () => {
    place.write(join(place.home, '.config/coi/config.toml'), '[defaults]\nimage = "x"\n');
    const { warnings } = await place.load();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /\.config\/coi\/config\.toml is not read any more: move it to/);
  });

  test('COI_CONFIG must name a file, and a variable must have a value that fits', async () => {
    await assert.rejects(
      place.load({ env: { COI_CONFIG: 'none.toml' } }),
      failsWith('config-invalid', join(place.workspace, 'none.toml'), 'COI_CONFIG'),
    );
    await assert.rejects(
      place.load({ env: { COI_LIMIT_MEMORY: 'lots' } }),
      failsWith('config-invalid', '$COI_LIMIT_MEMORY'),
    );
  });
});
