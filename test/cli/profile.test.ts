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
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';

let place: ConfigPlace;
beforeEach(() => {
  place = new ConfigPlace();
});
afterEach(() => place[Symbol.dispose]());

function coi(args: readonly string[], more: { input?: string; env?: Record<string, string> } = {}) {
  const { home, workspace } = place;
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, PWD: workspace, ...more.env };
  return spawnSync(coiPath(), args, {
    cwd: workspace,
    env,
    input: more.input ?? '',
    encoding: 'utf8',
    timeout: 60_000,
  });
}

test('a created profile can be used, and is not made twice', () => {
  const made = coi(['profile', 'create', 'web', '--inherits', 'hardened']);
  assert.equal(made.status, 0, made.stderr);
  const path = join(place.home, '.coi/profiles/web/config.toml');
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

test('it goes where the project keeps its own, or where it is told', () => {
  mkdirSync(join(place.workspace, '.coi'));
  coi(['profile', 'create', 'one']);
  assert.ok(existsSync(join(place.workspace, '.coi/profiles/one/config.toml')));
  coi(['profile', 'create', 'two', '--user']);
  assert.ok(existsSync(join(place.home, '.coi/profiles/two/config.toml')));
  assert.equal(coi(['profile', 'create', 'x', '--user', '--project']).status, 2);
});

test('a broken profile is named and hides no other', () => {
  place.profile('fine', 'inherits = "hardened"\n');
  place.profile('broken', 'x = [');
  const said = coi(['profile', 'list']);
  assert.equal(said.status, 0, said.stderr);
  assert.match(said.stdout, /^fine /m);
  assert.doesNotMatch(said.stdout, /^broken/m);
  assert.match(said.stderr, /profile 'broken' is left out: .*broken\/config\.toml:/);
});

test('a link that a project planted is not followed', () => {
  mkdirSync(join(place.workspace, '.coi'));
  symlinkSync(place.home, join(place.workspace, '.coi/profiles'));
  const said = coi(['profile', 'create', 'one', '--project']);
  assert.equal(said.status, 1);
  assert.equal(existsSync(join(place.home, 'one')), false);
});

test('profile create default writes a configuration to begin with, once', () => {
  assert.equal(coi(['profile', 'create', 'default']).status, 0);
  const path = join(place.home, '.coi/config.toml');
  const before = readFileSync(path, 'utf8');
  assert.match(before, /^# image = "coi-default"$/m);
  assert.equal(coi(['profile', 'create', 'default']).status, 1);
  assert.equal(readFileSync(path, 'utf8'), before);
  assert.match(coi(['validate']).stdout, /✓ configuration is valid/);
});

test('edit opens the editor and warns of what it finds afterwards; built-in ones are not edited', () => {
  place.profile('web', '');
  const editor = place.write(join(place.home, 'ed'), '#!/bin/sh\necho "nonsense = 1" >"$2"\n');
  chmodSync(editor, 0o755);
  const said = coi(['profile', 'edit', 'web'], { env: { EDITOR: `${editor} --wait` } });
  assert.equal(said.status, 0, said.stderr);
  assert.match(
    said.stderr,
    /Warning: profile 'web' cannot be used as it is: .*nonsense is no known key/,
  );
  assert.equal(coi(['profile', 'edit', 'web'], { env: { EDITOR: '/nonexistent' } }).status, 1);
  for (const verb of ['edit', 'delete'])
    assert.match(coi(['profile', verb, 'hardened']).stderr, /built in/);
});

test('delete asks, and removes only that profile', () => {
  const path = place.profile('web', '');
  place.profile('other', '');
  assert.match(coi(['profile', 'delete', 'web']).stdout, /Cancelled/);
  assert.ok(existsSync(path));
  assert.equal(coi(['profile', 'delete', 'web'], { input: 'y\n' }).status, 0);
  assert.equal(existsSync(path), false);
  assert.equal(coi(['profile', 'delete', 'web', '-f']).status, 1);
  assert.match(coi(['profile', 'list']).stdout, /^other /m);
});

test('validate judges files, names and everything, and says where the error is', () => {
  const path = place.profile('web', '[container]\nimage = 7\n');
  assert.equal(coi(['validate', 'config']).status, 0);
  for (const args of [
    ['validate'],
    ['validate', 'profile', 'web'],
    ['validate', 'profile', path],
  ]) {
    const said = coi(args);
    assert.equal(said.status, 1, args.join(' '));
    assert.match(said.stdout, /✗ [\s\S]*config\.toml:2: container\.image/);
  }
  const [verdict] = JSON.parse(coi(['validate', 'profile', 'web', '--json']).stdout);
  assert.equal(verdict.valid, false);
  const file = join(place.workspace, 'good.toml');
  writeFileSync(file, 'environment = { A = "1" }\n');
  assert.equal(coi(['validate', 'profile', './good.toml']).status, 0);
  assert.equal(coi(['validate', 'config', './good.toml']).status, 1, 'that is for profiles only');
  assert.equal(coi(['validate', 'profile', './none.toml']).status, 1);
  assert.equal(coi(['validate', 'nothing']).status, 2);
});

test('schema profile knows what stands at the top of a profile, and no defaults section', () => {
  const { properties } = JSON.parse(coi(['schema', 'profile']).stdout);
  for (const name of ['inherits', 'environment', 'forward_env', 'container', 'network'])
    assert.ok(properties[name], name);
  assert.equal(properties.defaults, undefined);
});
