// coi profile create, edit and delete, coi validate and coi schema, through the built program.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

let fixture: ConfigFixture;
beforeEach(() => {
  fixture = new ConfigFixture();
});
afterEach(() => fixture[Symbol.dispose]());

function coi(args: readonly string[], more: { input?: string; env?: Record<string, string> } = {}) {
  const { home, workspace } = fixture;
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, PWD: workspace, ...more.env };
  return spawnSync(coiPath(), args, {
    cwd: workspace,
    env,
    input: more.input ?? '',
    encoding: 'utf8',
    timeout: 60_000,
  });
}

test('a created profile can be used, and is not created twice', () => {
  const made = coi(['profile', 'create', 'web', '--inherits', 'hardened']);
  assert.equal(made.status, 0, made.stderr);
  const path = join(fixture.home, '.coi/profiles/web/config.toml');
  assert.match(readFileSync(path, 'utf8'), /^inherits = "hardened"$/m);
  assert.match(coi(['profile', 'info', 'web']).stdout, /docker = false/);
  assert.match(coi(['profile', 'create', 'web']).stderr, /already exists/);
  for (const name of ['a/b', '..', '.', '', '-x'])
    assert.equal(coi(['profile', 'create', '--', name]).status, 2, name);
  assert.match(
    coi(['profile', 'create', 'x', '--inherits', 'none']).stderr,
    /profile 'none' not found/,
  );
});

test("a profile is created in the project's directory, or where requested", () => {
  mkdirSync(join(fixture.workspace, '.coi'));
  coi(['profile', 'create', 'one']);
  assert.ok(existsSync(join(fixture.workspace, '.coi/profiles/one/config.toml')));
  coi(['profile', 'create', 'two', '--user']);
  assert.ok(existsSync(join(fixture.home, '.coi/profiles/two/config.toml')));
  assert.equal(coi(['profile', 'create', 'x', '--user', '--project']).status, 2);
});

test('a broken profile is named and does not hide others', () => {
  fixture.profile('fine', 'inherits = "hardened"\n');
  fixture.profile('broken', 'x = [');
  const result = coi(['profile', 'list']);
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stdout, /^fine /m);
  assert.doesNotMatch(result.stdout, /^broken/m);
  assert.match(result.stderr, /profile 'broken' skipped: .*broken\/config\.toml:/);
});

test('a link planted by a project is not followed', () => {
  mkdirSync(join(fixture.workspace, '.coi'));
  symlinkSync(fixture.home, join(fixture.workspace, '.coi/profiles'));
  const result = coi(['profile', 'create', 'one', '--project']);
  assert.equal(result.status, 1);
  assert.equal(existsSync(join(fixture.home, 'one')), false);
});

test('profile create default writes a starter configuration once', () => {
  assert.equal(coi(['profile', 'create', 'default']).status, 0);
  const path = join(fixture.home, '.coi/config.toml');
  const before = readFileSync(path, 'utf8');
  assert.match(before, /^# image = "coi-default"$/m);
  assert.equal(coi(['profile', 'create', 'default']).status, 1);
  assert.equal(readFileSync(path, 'utf8'), before);
  assert.match(coi(['validate']).stdout, /✓ configuration is valid/);
});

test('profile edit opens the editor and checks the result; built-in profiles are not edited', () => {
  fixture.profile('web', '');
  const editor = fixture.write(join(fixture.home, 'ed'), '#!/bin/sh\necho "nonsense = 1" >"$2"\n');
  chmodSync(editor, 0o755);
  const result = coi(['profile', 'edit', 'web'], { env: { EDITOR: `${editor} --wait` } });
  assert.equal(result.status, 0, result.stderr);
  assert.match(result.stderr, /Warning: profile 'web' is invalid: .*nonsense is not a known key/);
  assert.equal(coi(['profile', 'edit', 'web'], { env: { EDITOR: '/nonexistent' } }).status, 1);
  for (const verb of ['edit', 'delete'])
    assert.match(coi(['profile', verb, 'hardened']).stderr, /built in/);
});

test('profile delete asks, and removes only that profile', () => {
  const path = fixture.profile('web', '');
  fixture.profile('other', '');
  assert.match(coi(['profile', 'delete', 'web']).stdout, /Cancelled/);
  assert.ok(existsSync(path));
  assert.equal(coi(['profile', 'delete', 'web'], { input: 'y\n' }).status, 0);
  assert.equal(existsSync(path), false);
  assert.equal(coi(['profile', 'delete', 'web', '-f']).status, 1);
  assert.match(coi(['profile', 'list']).stdout, /^other /m);
});

test('profile validate checks files, names or everything, and locates errors', () => {
  const path = fixture.profile('web', '[container]\nimage = 7\n');
  assert.equal(coi(['validate', 'config']).status, 0);
  for (const args of [
    ['validate'],
    ['validate', 'profile', 'web'],
    ['validate', 'profile', path],
  ]) {
    const result = coi(args);
    assert.equal(result.status, 1, args.join(' '));
    assert.match(result.stdout, /✗ [\s\S]*config\.toml:2: container\.image/);
  }
  const [verdict] = JSON.parse(coi(['validate', 'profile', 'web', '--json']).stdout);
  assert.equal(verdict.valid, false);
  const file = join(fixture.workspace, 'good.toml');
  writeFileSync(file, 'environment = { A = "1" }\n');
  assert.equal(coi(['validate', 'profile', './good.toml']).status, 0);
  assert.equal(coi(['validate', 'config', './good.toml']).status, 1, 'that is for profiles only');
  assert.equal(coi(['validate', 'profile', './none.toml']).status, 1);
  assert.equal(coi(['validate', 'nothing']).status, 2);
});

test('schema profile has the top-level keys of a profile and no defaults section', () => {
  const { properties } = JSON.parse(coi(['schema', 'profile']).stdout);
  for (const name of ['inherits', 'environment', 'forward_env', 'container', 'network'])
    assert.ok(properties[name], name);
  assert.equal(properties.defaults, undefined);
});
