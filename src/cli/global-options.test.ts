import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import type { GlobalOptions } from './command-module.ts';
import {
  addGlobalOptions,
  commandName,
  mergedOptions,
  normalizeArguments,
} from './global-options.ts';

test('the command is found after global flags and their values', () => {
  assert.equal(commandName(['-w', 'list', 'shell']), 'shell');
  assert.equal(commandName(['--slot', '2', '--persistent', 'attach', 'x']), 'attach');
  assert.equal(commandName(['--resume', 'shell']), 'shell');
  assert.equal(commandName(['--workspace=/x', 'kill']), 'kill');
  assert.equal(commandName([]), undefined);
  assert.equal(commandName(['--', 'list']), undefined);
});

test('a bare --resume never swallows the alias after it; an id needs =', () => {
  assert.deepEqual(normalizeArguments(['shell', '--resume', 'web']), [
    'shell',
    '--resume=auto',
    'web',
  ]);
  assert.deepEqual(normalizeArguments(['shell', '--resume=abc']), ['shell', '--resume=abc']);
});

test('switches take =true and =false, and everything after -- stays unchanged', () => {
  assert.deepEqual(
    normalizeArguments(['shell', '--tmux=false', '--background=true', '--force=false']),
    ['shell', '--no-tmux', '--background'],
  );
  assert.deepEqual(normalizeArguments(['run', '--', 'x', '--resume', '--tmux=false']), [
    'run',
    '--',
    'x',
    '--resume',
    '--tmux=false',
  ]);
});

test('old flags that became keys become one flag with a value, before and after the command', () => {
  assert.deepEqual(normalizeArguments(['--limit-cpu', '2', 'shell', '--monitor', 'web']), [
    '--old-flag',
    'limit-cpu=2',
    'shell',
    '--old-flag',
    'monitor=true',
    'web',
  ]);
  assert.equal(commandName(['--limit-memory', '2GiB', 'run']), 'run');
});

test('flags are accepted before and after the command name, and lists are joined', async () => {
  const flags = async (...argv: string[]) => {
    const program = new Command('coi').enablePositionalOptions();
    const command = new Command('shell');
    addGlobalOptions(program);
    addGlobalOptions(command);
    let seen: GlobalOptions | undefined;
    command.action(() => {
      seen = mergedOptions<GlobalOptions>(command);
    });
    await program.addCommand(command).parseAsync(argv, { from: 'user' });
    return seen;
  };
  assert.deepEqual((await flags('shell', '--env', 'A=1'))?.env, ['A=1']);
  assert.deepEqual((await flags('--env', 'A=1', 'shell', '--env', 'B=2'))?.env, ['A=1', 'B=2']);
  assert.equal((await flags('--slot', '2', 'shell'))?.slot, '2');
  assert.equal((await flags('--slot', '2', 'shell', '--slot', '3'))?.slot, '3');
});
