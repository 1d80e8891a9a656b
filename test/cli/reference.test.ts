// docs/reference and the man page match the program, and its JSON has the documented shapes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { allCommands, flattenCommands, reference } from '../../scripts/reference.ts';
import { commandTree } from '../../src/cli/command-tree.ts';
import { jsonShapes } from '../../src/cli/ui/json-shapes.ts';
import { ConfigFixture } from '../bed/config-fixture.ts';
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
  const man = files.get('man/coi.1') ?? '';
  assert.match(man, /^\.TH COI 1/m);
  assert.match(man, /^\\fB\\-w, \\-\\-workspace <path>\\fR$/m);
  assert.match(man, /^\\fBcoi container mount\\fR <name> <device> <source> <path>$/m);
  for (const text of [commands, man]) {
    assert.match(text, /\\?-\\?-resume\[=<id>\]/);
    assert.doesNotMatch(text, /old\\?-flag/);
  }
});

test('every command, argument and flag has a description', async () => {
  for (const { name, command } of (await allCommands()).flatMap((one) => flattenCommands(one))) {
    assert.ok(command.description(), name);
    for (const argument of command.registeredArguments)
      assert.ok(argument.description, `${name} ${argument.name()}`);
    for (const { flags, description, hidden } of command.options)
      assert.ok(hidden || description, `${name} ${flags}`);
  }
});

test('every command with --json has a documented shape, and every shape has a command', async () => {
  const all = (await allCommands()).flatMap((command) => flattenCommands(command));
  const named = new Map(all.map(({ name, command }) => [name.replace(/^coi /, ''), command]));
  const shapes = Object.keys(jsonShapes);
  for (const [name, command] of named) {
    if (!command.options.some(({ long }) => long === '--json')) continue;
    const documented = shapes.some((shape) => shape === name || shape.startsWith(`${name} --`));
    assert.ok(documented, `coi ${name} --json`);
  }
  for (const shape of shapes.filter((one) => one !== 'error'))
    assert.ok(named.has(shape.replace(/ --.*/, '')), shape);
});

test('the command tree has the subcommands of each command', async () => {
  for (const command of await allCommands()) {
    const branch = commandTree.find(({ name }) => name === command.name());
    const below = command.commands.map((one) => one.name());
    assert.deepEqual(Object.keys(branch?.subcommands ?? {}), below, command.name());
  }
});

test('JSON output without Incus has the documented shape', () => {
  using fixture = new ConfigFixture();
  const env = {
    PATH: process.env['PATH'],
    HOME: fixture.home,
    PWD: fixture.workspace,
    INCUS_SOCKET: '/nonexistent',
  };
  const coi = (...args: string[]) =>
    spawnSync(coiPath(), args, { cwd: fixture.workspace, env, encoding: 'utf8', timeout: 60_000 });
  fixture.profile('web', 'inherits = "hardened"\n');
  fixture.project('[network]\nmode = "open"\n');
  const id = '0b7e3c1a-1111-4222-8333-444455556666';
  for (const [shape, args] of [
    ['version', ['version', '--json']],
    ['profile list', ['profile', 'list', '--json']],
    ['validate', ['validate', '--json']],
    ['tool spec', ['tool', 'spec', '--container', 'x', '--session-id', id]],
    ['profile create', ['profile', 'create', 'mine', '--json']],
    ['profile delete', ['profile', 'delete', 'mine', '--force', '--json']],
    ['trust', ['trust', '--yes', '--json']],
    ['trust --list', ['trust', '--list', '--json']],
    ['untrust', ['untrust', '--json']],
  ] as const) {
    const result = coi(...args);
    assert.deepEqual(mismatches(JSON.parse(result.stdout), jsonShapes[shape] ?? {}), [], shape);
  }
  const forbidden = coi('build', 'custom', 'x', '--script', '/dev/zero');
  assert.match(forbidden.stderr, /^Error: the build script \/dev\/zero is a device$/m);
  assert.doesNotMatch(forbidden.stderr, /bug in coi/);
  const failed = coi('snapshot', 'list', '--json');
  assert.equal(failed.status, 1);
  assert.deepEqual(mismatches(JSON.parse(failed.stderr), jsonShapes['error'] ?? {}), []);
});

test('the shape check rejects a mismatch', () => {
  assert.deepEqual(mismatches({ version: 1 }, jsonShapes['version'] ?? {}), [
    '.url is missing',
    '.version is no string',
  ]);
});
