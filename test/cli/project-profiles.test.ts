// Profiles of a project: pending values, locations, creation and display.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

let fixture: ConfigFixture;
beforeEach(() => {
  fixture = new ConfigFixture();
});
afterEach(() => fixture[Symbol.dispose]());

const coi = (...args: string[]) => coiWith({}, ...args);

function coiWith(more: Record<string, string>, ...args: string[]) {
  const { home, workspace } = fixture;
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, PWD: workspace, ...more };
  return spawnSync(coiPath(), args, { cwd: workspace, env, encoding: 'utf8', timeout: 60_000 });
}

const open = '[network]\nmode = "open"\n';

test('trust finds, shows and approves pending values in any profile of the project', () => {
  const path = fixture.profile('web', open, fixture.workspace);
  assert.match(coi('config', 'show', 'network.mode', '--profile', 'web').stdout, /"restricted"/);
  const shown = coi('trust', '--yes');
  assert.equal(shown.status, 0, shown.stderr);
  assert.match(
    shown.stdout,
    new RegExp(`^  ${path}:2: profile web: network\\.mode = "open"$`, 'm'),
  );
  assert.match(shown.stdout, new RegExp(`^Approved ${path}$`, 'm'));
  assert.match(coi('config', 'show', 'network.mode', '--profile', 'web').stdout, /"open"/);
  assert.match(coi('trust').stdout, /Nothing to approve/);
  assert.match(coi('untrust').stdout, new RegExp(path));
  assert.match(coi('trust', '--yes', '--json').stdout, /"text": "network\.mode = \\"open\\""/);
});

test('each pending value is shown once for the configuration and all profiles together', () => {
  const config = fixture.project('[defaults]\nforward_env = ["TOKEN"]\n');
  const parent = fixture.profile('parent', open, fixture.workspace);
  const child = fixture.profile(
    'child',
    'inherits = "parent"\nforward_env = ["OTHER"]\n',
    fixture.workspace,
  );
  fixture.profile('own', 'inherits = "child"\n');
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

test('an unreadable project profile is named, and the others are approved', () => {
  fixture.profile('broken', 'x = [', fixture.workspace);
  fixture.profile('circle', 'inherits = "circle"\n', fixture.workspace);
  const path = fixture.profile('web', open, fixture.workspace);
  const result = coi('trust', '--yes');
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, new RegExp(`^Approved ${path}$`, 'm'));
  assert.match(result.stderr, /profile 'broken' skipped: /);
  assert.match(result.stderr, /profile 'circle' skipped: .*inherits "circle"/);
});

test('a build with a pending recipe is refused, and builds or finds no other image', () => {
  const path = fixture.profile(
    'web',
    '[container]\nimage = "web"\n[container.build]\nscript = "/etc/hostname"\n',
    fixture.workspace,
  );
  for (const args of [
    ['build', '--profile', 'web'],
    ['build', '--all'],
  ]) {
    const result = coi(...args);
    assert.equal(result.status, 1, result.stdout);
    assert.equal(result.stdout, '');
    assert.match(
      result.stderr,
      new RegExp(
        `^Error: ${path}:4: profile web: container\\.build\\.script = .* waits for your approval$`,
        'm',
      ),
    );
    assert.match(result.stderr, /^Hint: Run `coi trust`/m);
  }
});

test('a remote image is fetched only after approval; a local one needs none', () => {
  fixture.project('[container]\nimage = "web"\n[container.build]\nbase = "images:debian/13"\n');
  const result = coi('config', 'show', 'container.build.base');
  assert.doesNotMatch(result.stdout, /debian/);
  assert.match(coi('build').stderr, /container\.build\.base = "images:debian\/13" waits/);
  fixture.project('[container]\nimage = "web"\n[container.build]\nbase = "debian-13"\n');
  assert.match(coi('config', 'show', 'container.build.base').stdout, /"debian-13"/);
});

test('profiles next to the $COI_CONFIG file are loaded, and trusted unless they are in the workspace', () => {
  const dir = join(fixture.root, 'elsewhere');
  const COI_CONFIG = fixture.write(join(dir, 'config.toml'), '');
  const path = fixture.write(join(dir, 'profiles/team/config.toml'), open);
  const shown = coiWith({ COI_CONFIG }, 'config', 'show', 'network.mode', '--profile', 'team');
  assert.match(shown.stdout, /"open"/);
  assert.match(
    coiWith({ COI_CONFIG }, 'profile', 'list').stdout,
    new RegExp(`^team .*${path}$`, 'm'),
  );
  assert.match(coi('profile', 'list').stdout, /^default /m);
  assert.doesNotMatch(coi('profile', 'list').stdout, /team/);
  const twice = fixture.profile('team', '');
  assert.match(
    coiWith({ COI_CONFIG }, 'profile', 'info', 'team').stderr,
    new RegExp(`two profiles team: ${twice} and ${path}`),
  );
  // The agent could have put it there.
  const inside = fixture.write(join(fixture.workspace, 'conf/config.toml'), '');
  fixture.write(join(fixture.workspace, 'conf/profiles/planted/config.toml'), open);
  const planted = coiWith(
    { COI_CONFIG: inside },
    ...['config', 'show', 'network.mode', '--profile', 'planted'],
  );
  assert.match(planted.stdout, /"restricted"/);
  mkdirSync(join(fixture.root, 'secret/profiles/linked'), { recursive: true });
  fixture.write(join(fixture.root, 'secret/profiles/linked/config.toml'), open);
  symlinkSync(
    join(fixture.root, 'secret/profiles/linked'),
    join(fixture.workspace, 'conf/profiles/linked'),
  );
  const linked = coiWith({ COI_CONFIG: inside }, 'profile', 'info', 'linked');
  assert.equal(linked.status, 1, 'a link in the workspace is not followed');
});

test('profiles next to the $COI_CONFIG file need approval if they are in any known project', () => {
  const stored = join(fixture.root, 'stored');
  const aliased = join(fixture.root, 'aliased');
  const marked = join(fixture.root, 'marked');
  const linked = join(fixture.root, 'linked');
  const files = [
    [join(stored, 'deep/config.toml'), stored],
    [join(aliased, 'config.toml'), aliased],
    [join(marked, '.coi/config.toml'), marked],
    [join(linked, 'config.toml'), stored],
  ] as const;
  for (const dir of [stored, aliased, marked]) mkdirSync(dir);
  symlinkSync(join(stored, 'deep'), linked);
  for (const [path] of files.slice(0, 3)) {
    fixture.write(path, '');
    fixture.write(join(dirname(path), 'profiles/planted/config.toml'), open);
  }
  const shown = (COI_CONFIG: string, ...more: string[]) =>
    coiWith({ COI_CONFIG }, 'config', 'show', 'network.mode', '--profile', 'planted', ...more);
  // Control: the directory is not a known workspace.
  assert.match(shown(files[0][0]).stdout, /"open"/);
  fixture.write(
    join(fixture.home, '.coi/sessions-claude/0b7e3c1a-1111-4222-8333-444455556666/metadata.json'),
    JSON.stringify({
      session_id: '0b7e3c1a-1111-4222-8333-444455556666',
      container_name: 'coi-0123abcd-1',
      workspace: stored,
    }),
  );
  fixture.write(
    join(fixture.home, '.coi/aliases.json'),
    JSON.stringify({ shop: { workspace: aliased } }),
  );
  for (const [path] of files) {
    const result = shown(path);
    assert.match(result.stdout, /"restricted"/, path);
    assert.match(
      result.stderr,
      /planted\/config\.toml:2: profile planted: network\.mode = "open" has no effect/,
      path,
    );
  }
  const approved = coiWith({ COI_CONFIG: files[1][0] }, 'trust', '--yes');
  assert.equal(approved.status, 0, approved.stderr);
  assert.match(shown(files[1][0]).stdout, /"open"/);
  // The user's own locations stay trusted, even if a session has worked in the home or above it.
  fixture.write(
    join(fixture.home, '.coi/aliases.json'),
    JSON.stringify({ all: { workspace: fixture.home }, top: { workspace: fixture.root } }),
  );
  const own = fixture.write(join(fixture.home, 'conf/config.toml'), '');
  fixture.write(join(fixture.home, 'conf/profiles/planted/config.toml'), open);
  assert.match(shown(own).stdout, /"open"/);
});

test("a project's profiles are not loaded twice if $COI_CONFIG names its own file", () => {
  const COI_CONFIG = fixture.project('');
  fixture.profile('web', open, fixture.workspace);
  const result = coiWith({ COI_CONFIG }, 'config', 'show', 'network.mode', '--profile', 'web');
  assert.match(result.stdout, /"restricted"/, result.stderr);
});

test('profile create takes image and persistent, and refuses options that would be ignored', () => {
  const made = coi('profile', 'create', 'web', '--image', 'my-image', '--persistent');
  assert.equal(made.status, 0, made.stderr);
  const text = readFileSync(join(fixture.home, '.coi/profiles/web/config.toml'), 'utf8');
  assert.match(text, /^image = "my-image"$/m);
  assert.match(text, /^persistent = true$/m);
  assert.match(coi('profile', 'list').stdout, /^web +my-image +true /m);
  assert.equal(coi('profile', 'create', 'x', '--image', '-bad').status, 2);
  const starter = coi('profile', 'create', 'default', '--image', 'x');
  assert.equal(starter.status, 2);
  assert.match(starter.stderr, /--image and --persistent do not apply to the profile default/);
});

test('profile info shows what a profile inherits and from where', () => {
  const path = fixture.profile('web', 'inherits = "hardened"\n[container]\nimage = "web"\n');
  const { stdout } = coi('profile', 'info', 'web');
  assert.match(
    stdout,
    new RegExp(`^# profile web\n# inherits hardened\n# source ${path}\n[\\s\\S]*image = "web"`),
  );
  const json = JSON.parse(coi('profile', 'info', 'web', '--json').stdout);
  assert.deepEqual([json.inherits, json.source, json.container.image], ['hardened', path, 'web']);
  assert.match(coi('profile', 'info', 'hardened').stdout, /^# source \(built-in\)$/m);
});

test('info without a session in the workspace shows the newest of all, and accepts a container', () => {
  const id = '0b7e3c1a-1111-4222-8333-444455556666';
  const elsewhere = join(fixture.root, "other's");
  fixture.write(
    join(fixture.home, '.coi/sessions-claude', id, 'metadata.json'),
    JSON.stringify({
      session_id: id,
      container_name: 'coi-0123abcd-1',
      workspace: elsewhere,
      saved_at: '2026-01-02T03:04:05Z',
    }),
  );
  const result = coi('info');
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, new RegExp(`^Session ID: +${id}$`, 'm'));
  assert.match(result.stderr, /has no session; showing the newest of all workspaces/);
  // In this directory the bare command would refuse it.
  assert.ok(
    result.stdout.includes(
      `coi shell --workspace='${elsewhere.replace("'", "'\\''")}' --resume=${id}\n`,
    ),
    result.stdout,
  );
  assert.equal(JSON.parse(coi('info', 'coi-0123abcd-1', '--json').stdout).session_id, id);
  assert.match(coi('info', '-w', '.').stderr, /no sessions found for/);
});
