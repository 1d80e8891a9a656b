// docs/reference and the man page say what the program says, and its JSON has the documented shapes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { reference } from '../../scripts/reference.ts';
import { jsonShapes } from '../../src/ui/json-shapes.ts';
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';
import { mismatches } from './shape.ts';

const root = resolve(import.meta.dirname, '../..');

test('the generated files are up to date (npm run reference)', async () => {
  for (const [path, text] of await reference()) {
    assert.ok(existsSync(join(root, path)), path);
    assert.equal(readFileSync(join(root, path), 'utf8'), text, path);
  }
});

test('every command, key and error is in the reference', async () => {
  const files = await reference();
  const commands = files.get('docs/reference/commands.md') ?? '';
  for (const name of [
    'shell',
    'run',
    'container exec',
    'file push',
    'snapshot restore',
    'hosts add',
  ])
    assert.ok(commands.includes(`## coi ${name}\n`), name);
  assert.ok(!commands.includes('__complete'));
  assert.match(
    files.get('docs/reference/keys.md') ?? '',
    /^\| `container\.image` \| `"coi-default"` \|/m,
  );
  assert.match(files.get('docs/reference/errors.md') ?? '', /^\| `usage` \| 2 \|/m);
  assert.match(files.get('man/coi.1') ?? '', /^\.TH COI 1/m);
});

test('JSON that needs no Incus has the shape that is documented', () => {
  using place = new ConfigPlace();
  const env = {
    PATH: process.env['PATH'],
    HOME: place.home,
    PWD: place.workspace,
    INCUS_SOCKET: '/nonexistent',
  };
  const coi = (...args: string[]) =>
    spawnSync(coiPath(), args, { cwd: place.workspace, env, encoding: 'utf8', timeout: 60_000 });
  place.profile('web', 'inherits = "hardened"\n');
  const id = '0b7e3c1a-1111-4222-8333-444455556666';
  for (const [shape, args] of [
    ['version', ['version', '--json']],
    ['profile list', ['profile', 'list', '--json']],
    ['validate', ['validate', '--json']],
    ['tool spec', ['tool', 'spec', '--container', 'x', '--session-id', id]],
  ] as const) {
    const said = coi(...args);
    assert.deepEqual(mismatches(JSON.parse(said.stdout), jsonShapes[shape] ?? {}), [], shape);
  }
  const failed = coi('snapshot', 'list', '--json');
  assert.equal(failed.status, 1);
  assert.deepEqual(mismatches(JSON.parse(failed.stderr), jsonShapes['error'] ?? {}), []);
});

test('what does not fit a shape is found', () => {
  assert.deepEqual(mismatches({ version: 1 }, jsonShapes['version'] ?? {}), [
    '.url is missing',
    '.version is no string',
  ]);
});
