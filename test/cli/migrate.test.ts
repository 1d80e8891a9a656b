// coi migrate, through the built program.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startCommand } from '../bed/command.ts';
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';

function bedOf(place: ConfigPlace) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.home };
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
      startCommand([coiPath(), ...args], { env, cwd: place.workspace }).result,
    mine: file(place.home, '.coi/config.toml'),
    older: file(place.home, '.config/coi/config.toml'),
    project: file(place.workspace, '.coi/config.toml'),
    oldProject: file(place.workspace, '.coi.toml'),
    profile: file(place.workspace, '.coi/profiles/web/config.toml'),
  };
}

const oldKeys = '# mine\n[defaults]\nimage = "web"\nmodel = "opus"\n';

test('one run brings the files of an old user up to date; a copy of each is kept', async () => {
  using place = new ConfigPlace();
  const { coi, older, mine, oldProject, project, profile } = bedOf(place);
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

  const asked = await coi('migrate');
  assert.deepEqual(
    [asked.status, older.text()],
    [1, oldKeys],
    'without a terminal nothing is changed',
  );
  assert.match(asked.stderr, /coi migrate --yes/);

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

test('a start names the problems of all files at once, and the command that mends them', async () => {
  using place = new ConfigPlace();
  const { coi, mine, oldProject, project } = bedOf(place);
  mine.write(`${oldKeys}colour = "red"\n`);
  project.write('[build]\nbase = "x"\n');
  oldProject.write('');
  const { status, stderr } = await coi('config', 'show');
  assert.equal(status, 1);
  for (const problem of [
    /\.coi\.toml is not read/,
    /defaults\.image has moved/,
    /colour is no known key/,
    /build has moved/,
  ])
    assert.match(stderr, problem);
  assert.match(stderr, /Hint: `coi migrate`/);
});

test('what only the user can decide is left, named, and the exit status is 1', async () => {
  using place = new ConfigPlace();
  const { coi, mine, older, oldProject, project } = bedOf(place);
  mine.write('[container]\nimage = "a"\n[defaults]\nimage = "b"\n');
  older.write(oldKeys);
  project.write('');
  // An agent can put a link there: it is neither read nor written through.
  const outside = join(place.home, 'outside');
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
    /is not read, since \S+\.coi\/config\.toml is there too[\s\S]*is there twice/,
  );
  const { stderr } = await coi('migrate', '--yes');
  assert.match(stderr, /^Warning: what is marked "left to you" above/);
});

test('a configuration that the user links from elsewhere is changed where it is', async () => {
  using place = new ConfigPlace();
  const { coi, mine } = bedOf(place);
  mkdirSync(join(place.home, '.coi'), { recursive: true });
  const kept = join(place.home, 'dotfiles.toml');
  writeFileSync(kept, oldKeys);
  symlinkSync(kept, mine.path);
  assert.equal((await coi('migrate', '--yes')).status, 0);
  assert.match(readFileSync(kept, 'utf8'), /\[container\]\nimage = "web"/);
});
