// coi migrate, through the built program.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startCommand } from '../bed/command.ts';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

function bedOf(setup: ConfigFixture) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: setup.home };
  const file = (...parts: string[]) => {
    const path = join(...parts);
    return {
      path,
      write: (text: string) => {
        mkdirSync(join(path, '..'), { recursive: true });
        writeFileSync(path, text);
      },
      text: () => readFileSync(path, 'utf8'),
    };
  };
  return {
    coi: (...args: string[]) =>
      startCommand([coiPath(), ...args], { env, cwd: setup.workspace }).result,
    mine: file(setup.home, '.coi/config.toml'),
    older: file(setup.home, '.config/coi/config.toml'),
    project: file(setup.workspace, '.coi/config.toml'),
    oldProject: file(setup.workspace, '.coi.toml'),
    profile: file(setup.workspace, '.coi/profiles/web/config.toml'),
  };
}

const oldKeys = '# mine\n[defaults]\nimage = "web"\nmodel = "opus"\n';

test('one run updates all files of an old user and keeps a copy of each', async () => {
  using fixture = new ConfigFixture();
  const { coi, older, mine, oldProject, project, profile } = bedOf(fixture);
  older.write(oldKeys);
  oldProject.write('[container]\nalias = "shop"\n');
  profile.write('image = "web"\n[build]\nbase = "coi-default"\n');
  const shown = await coi('migrate', '--dry-run');
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(
    shown.stdout,
    /moves to .*\.coi\/config\.toml\n {2}defaults\.image moves to \[container\] image/,
  );
  assert.equal(older.text(), oldKeys, 'a dry run changes nothing');

  const answer = await coi('migrate');
  assert.deepEqual(
    [answer.status, older.text()],
    [1, oldKeys],
    'without a terminal nothing is changed',
  );
  assert.match(answer.stderr, /coi migrate --yes/);

  const done = await coi('migrate', '--yes');
  assert.equal(done.status, 0, done.stderr);
  assert.match(
    mine.text(),
    /^# mine\n\[defaults\]\nmodel = "opus"\n\n\[container\]\nimage = "web"\n$/,
  );
  assert.equal(readFileSync(`${older.path}.before-migrate`, 'utf8'), oldKeys);
  assert.ok(!existsSync(older.path) && !existsSync(oldProject.path));
  assert.match(project.text(), /alias = "shop"/);
  assert.match(
    profile.text(),
    /^\[container\.build\]\nbase = "coi-default"\n\n\[container\]\nimage = "web"\n$/,
  );
  assert.equal((await coi('validate')).status, 0);
  assert.match((await coi('migrate')).stdout, /Nothing to do/);
});

test('a start reports the problems of all files at once with the command that fixes them', async () => {
  using fixture = new ConfigFixture();
  const { coi, mine, oldProject, project } = bedOf(fixture);
  mine.write(`${oldKeys}colour = "red"\n`);
  project.write('[build]\nbase = "x"\n');
  oldProject.write('');
  const { status, stderr } = await coi('config', 'show');
  assert.equal(status, 1);
  for (const problem of [
    /\.coi\.toml is no longer read/,
    /defaults\.image has moved/,
    /colour is not a known key/,
    /build has moved/,
  ])
    assert.match(stderr, problem);
  assert.match(stderr, /Hint: Run `coi migrate`/);
});

test('changes that need a decision are left and named, and the exit status is 1', async () => {
  using fixture = new ConfigFixture();
  const { coi, mine, older, oldProject, project } = bedOf(fixture);
  mine.write('[container]\nimage = "a"\n[defaults]\nimage = "b"\n');
  older.write(oldKeys);
  project.write('');
  // An agent could plant a link there: it is neither read nor written through.
  const outside = join(fixture.home, 'outside');
  writeFileSync(outside, oldKeys);
  symlinkSync(outside, oldProject.path);
  const linked = await coi('migrate', '--yes');
  assert.equal(linked.status, 1);
  assert.match(linked.stderr, /\.coi\.toml/);
  assert.equal(readFileSync(outside, 'utf8'), oldKeys);
  rmSync(oldProject.path);
  const { status, stdout } = await coi('migrate', '--yes', '--json');
  assert.equal(status, 1);
  const plans = JSON.parse(stdout) as { by_hand: string[]; changed: boolean }[];
  assert.deepEqual(
    plans.map(({ changed }) => changed),
    [false, false],
  );
  assert.match(
    plans.flatMap(({ by_hand }) => by_hand).join('\n'),
    /is not read, because \S+\.coi\/config\.toml exists[\s\S]*is duplicated/,
  );
  const { stderr } = await coi('migrate', '--yes');
  assert.match(stderr, /^Warning: make the changes marked "manual" above/);
});

test('a configuration that the user links to is changed at its target', async () => {
  using fixture = new ConfigFixture();
  const { coi, mine } = bedOf(fixture);
  mkdirSync(join(fixture.home, '.coi'), { recursive: true });
  const dotfile = join(fixture.home, 'dotfiles.toml');
  writeFileSync(dotfile, oldKeys);
  symlinkSync(dotfile, mine.path);
  assert.equal((await coi('migrate', '--yes')).status, 0);
  assert.match(readFileSync(dotfile, 'utf8'), /\[container\]\nimage = "web"/);
});
