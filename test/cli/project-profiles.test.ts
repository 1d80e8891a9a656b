// Profiles as the predecessor's users have them: what of a project's waits, where they lie, how they are made and shown.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';

let place: ConfigPlace;
beforeEach(() => {
  place = new ConfigPlace();
});
afterEach(() => place[Symbol.dispose]());

const coi = (...args: string[]) => coiWith({}, ...args);

function coiWith(more: Record<string, string>, ...args: string[]) {
  const { home, workspace } = place;
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, PWD: workspace, ...more };
  return spawnSync(coiPath(), args, { cwd: workspace, env, encoding: 'utf8', timeout: 60_000 });
}

const open = '[network]\nmode = "open"\n';

test('trust finds, shows and approves what waits in any profile of the project', () => {
  const path = place.profile('web', open, place.workspace);
  assert.match(coi('config', 'show', 'network.mode', '--profile', 'web').stdout, /"restricted"/);
  const shown = coi('trust', '--yes');
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(
    shown.stdout,
    new RegExp(`^  ${path}:2: profile web: network\\.mode = "open"$`, 'm'),
  );
  assert.match(shown.stdout, new RegExp(`^Approved ${path}$`, 'm'));
  assert.match(coi('config', 'show', 'network.mode', '--profile', 'web').stdout, /"open"/);
  assert.match(coi('trust').stdout, /Nothing waits/);
  assert.match(coi('untrust').stdout, new RegExp(path));
  assert.match(coi('trust', '--yes', '--json').stdout, /"text": "network\.mode = \\"open\\""/);
});

test('each waiting value is shown once, the configuration and all profiles together', () => {
  const config = place.project('[defaults]\nforward_env = ["TOKEN"]\n');
  const parent = place.profile('parent', open, place.workspace);
  const child = place.profile(
    'child',
    'inherits = "parent"\nforward_env = ["OTHER"]\n',
    place.workspace,
  );
  place.profile('own', 'inherits = "child"\n');
  const { waiting, approved } = JSON.parse(coi('trust', '--yes', '--json').stdout);
  assert.deepEqual(
    waiting
      .map(
        ({ source, profile, text }: { source: string; profile?: string; text: string }) =>
          `${source} ${profile ?? '-'} ${text}`,
      )
      .toSorted(),
    [
      `${config} - defaults.forward_env = ["TOKEN"]`,
      `${parent} parent network.mode = "open"`,
      `${child} child defaults.forward_env = ["OTHER"]`,
    ].toSorted(),
  );
  assert.deepEqual(approved.toSorted(), [config, parent, child].toSorted());
});

test('a profile of the project that cannot be read is named, and the others are approved', () => {
  place.profile('broken', 'x = [', place.workspace);
  place.profile('circle', 'inherits = "circle"\n', place.workspace);
  const path = place.profile('web', open, place.workspace);
  const said = coi('trust', '--yes');
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stdout, new RegExp(`^Approved ${path}$`, 'm'));
  assert.match(said.stderr, /profile 'broken' is left out: /);
  assert.match(said.stderr, /profile 'circle' is left out: .*inherits "circle"/);
});

test('a build whose recipe waits for approval is refused, and builds or finds no other image', () => {
  const path = place.profile(
    'web',
    '[container]\nimage = "web"\n[container.build]\nscript = "/etc/hostname"\n',
    place.workspace,
  );
  for (const args of [
    ['build', '--profile', 'web'],
    ['build', '--all'],
  ]) {
    const said = coi(...args);
    assert.equal(said.status, 1, said.stdout);
    assert.equal(said.stdout, '');
    assert.match(
      said.stderr,
      new RegExp(
        `^Error: ${path}:4: profile web: container\\.build\\.script = .* waits for your approval$`,
        'm',
      ),
    );
    assert.match(said.stderr, /^Hint: Run `coi trust`/m);
  }
});

test('an image of a remote is fetched only after approval; one of this host needs none', () => {
  place.project('[container]\nimage = "web"\n[container.build]\nbase = "images:debian/13"\n');
  const said = coi('config', 'show', 'container.build.base');
  assert.doesNotMatch(said.stdout, /debian/);
  assert.match(coi('build').stderr, /container\.build\.base = "images:debian\/13" waits/);
  place.project('[container]\nimage = "web"\n[container.build]\nbase = "debian-13"\n');
  assert.match(coi('config', 'show', 'container.build.base').stdout, /"debian-13"/);
});

test('profiles beside the file of $COI_CONFIG are there, and trusted unless they lie in the workspace', () => {
  const dir = join(place.root, 'elsewhere');
  const COI_CONFIG = place.write(join(dir, 'config.toml'), '');
  const path = place.write(join(dir, 'profiles/team/config.toml'), open);
  const shown = coiWith({ COI_CONFIG }, 'config', 'show', 'network.mode', '--profile', 'team');
  assert.match(shown.stdout, /"open"/);
  assert.match(
    coiWith({ COI_CONFIG }, 'profile', 'list').stdout,
    new RegExp(`^team .*${path}$`, 'm'),
  );
  assert.match(coi('profile', 'list').stdout, /^default /m);
  assert.doesNotMatch(coi('profile', 'list').stdout, /team/);
  const twice = place.profile('team', '');
  assert.match(
    coiWith({ COI_CONFIG }, 'profile', 'info', 'team').stderr,
    new RegExp(`two profiles team: ${twice} and ${path}`),
  );
  // The agent could have put it there.
  const inside = place.write(join(place.workspace, 'conf/config.toml'), '');
  place.write(join(place.workspace, 'conf/profiles/planted/config.toml'), open);
  const planted = coiWith(
    { COI_CONFIG: inside },
    ...['config', 'show', 'network.mode', '--profile', 'planted'],
  );
  assert.match(planted.stdout, /"restricted"/);
  mkdirSync(join(place.root, 'secret/profiles/linked'), { recursive: true });
  place.write(join(place.root, 'secret/profiles/linked/config.toml'), open);
  symlinkSync(
    join(place.root, 'secret/profiles/linked'),
    join(place.workspace, 'conf/profiles/linked'),
  );
  const linked = coiWith({ COI_CONFIG: inside }, 'profile', 'info', 'linked');
  assert.equal(linked.status, 1, 'a link in the workspace is not followed');
});

test('profiles beside the file of $COI_CONFIG wait where an agent may have put them: in any project that coi knows', () => {
  const stored = join(place.root, 'stored');
  const aliased = join(place.root, 'aliased');
  const marked = join(place.root, 'marked');
  const linked = join(place.root, 'linked');
  const files = [
    [join(stored, 'deep/config.toml'), stored],
    [join(aliased, 'config.toml'), aliased],
    [join(marked, '.coi/config.toml'), marked],
    [join(linked, 'config.toml'), stored],
  ] as const;
  for (const dir of [stored, aliased, marked]) mkdirSync(dir);
  symlinkSync(join(stored, 'deep'), linked);
  for (const [path] of files.slice(0, 3)) {
    place.write(path, '');
    place.write(join(dirname(path), 'profiles/planted/config.toml'), open);
  }
  const shown = (COI_CONFIG: string, ...more: string[]) =>
    coiWith({ COI_CONFIG }, 'config', 'show', 'network.mode', '--profile', 'planted', ...more);
  // The control: nobody is known to have worked there.
  assert.match(shown(files[0][0]).stdout, /"open"/);
  place.write(
    join(place.home, '.coi/sessions-claude/0b7e3c1a-1111-4222-8333-444455556666/metadata.json'),
    JSON.stringify({
      session_id: '0b7e3c1a-1111-4222-8333-444455556666',
      container_name: 'coi-0123abcd-1',
      workspace: stored,
    }),
  );
  place.write(
    join(place.home, '.coi/aliases.json'),
    JSON.stringify({ shop: { workspace: aliased } }),
  );
  for (const [path] of files) {
    const said = shown(path);
    assert.match(said.stdout, /"restricted"/, path);
    assert.match(
      said.stderr,
      /planted\/config\.toml:2: profile planted: network\.mode = "open" is not in force/,
      path,
    );
  }
  const approved = coiWith({ COI_CONFIG: files[1][0] }, 'trust', '--yes');
  assert.equal(approved.status, 0, approved.stderr);
  assert.match(shown(files[1][0]).stdout, /"open"/);
  // The user's own places stay so, also where a session has worked in the home or in all that is above.
  place.write(
    join(place.home, '.coi/aliases.json'),
    JSON.stringify({ all: { workspace: place.home }, top: { workspace: place.root } }),
  );
  const own = place.write(join(place.home, 'conf/config.toml'), '');
  place.write(join(place.home, 'conf/profiles/planted/config.toml'), open);
  assert.match(shown(own).stdout, /"open"/);
});

test('the profiles of the project are no second ones where $COI_CONFIG names its own file', () => {
  const COI_CONFIG = place.project('');
  place.profile('web', open, place.workspace);
  const said = coiWith({ COI_CONFIG }, 'config', 'show', 'network.mode', '--profile', 'web');
  assert.match(said.stdout, /"restricted"/, said.stderr);
});

test('profile create takes image and persistent, and refuses what would be ignored', () => {
  const made = coi('profile', 'create', 'web', '--image', 'my-image', '--persistent');
  assert.equal(made.status, 0, made.stderr);
  const text = readFileSync(join(place.home, '.coi/profiles/web/config.toml'), 'utf8');
  assert.match(text, /^image = "my-image"$/m);
  assert.match(text, /^persistent = true$/m);
  assert.match(coi('profile', 'list').stdout, /^web +my-image +true /m);
  assert.equal(coi('profile', 'create', 'x', '--image', '-bad').status, 2);
  const starter = coi('profile', 'create', 'default', '--image', 'x');
  assert.equal(starter.status, 2);
  assert.match(starter.stderr, /--image and --persistent are for a profile of your own/);
});

test('profile info tells what a profile inherits and where it comes from', () => {
  const path = place.profile('web', 'inherits = "hardened"\n[container]\nimage = "web"\n');
  const { stdout } = coi('profile', 'info', 'web');
  assert.match(
    stdout,
    new RegExp(`^# profile web\n# inherits hardened\n# source ${path}\n[\\s\\S]*image = "web"`),
  );
  const json = JSON.parse(coi('profile', 'info', 'web', '--json').stdout);
  assert.deepEqual([json.inherits, json.source, json.container.image], ['hardened', path, 'web']);
  assert.match(coi('profile', 'info', 'hardened').stdout, /^# source \(built-in\)$/m);
});

test('info without a session of the workspace tells of the newest of all, and takes a container', () => {
  const id = '0b7e3c1a-1111-4222-8333-444455556666';
  const elsewhere = join(place.root, "other's");
  place.write(
    join(place.home, '.coi/sessions-claude', id, 'metadata.json'),
    JSON.stringify({
      session_id: id,
      container_name: 'coi-0123abcd-1',
      workspace: elsewhere,
      saved_at: '2026-01-02T03:04:05Z',
    }),
  );
  const said = coi('info');
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stdout, new RegExp(`^Session ID: +${id}$`, 'm'));
  assert.match(said.stderr, /has no session; this is the newest of all/);
  // In this directory the bare command would refuse it.
  assert.ok(
    said.stdout.includes(
      `coi shell --workspace='${elsewhere.replace("'", "'\\''")}' --resume=${id}\n`,
    ),
    said.stdout,
  );
  assert.equal(JSON.parse(coi('info', 'coi-0123abcd-1', '--json').stdout).session_id, id);
  assert.match(coi('info', '-w', '.').stderr, /no sessions found for/);
});
