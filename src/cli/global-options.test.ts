import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import type { GlobalOptions } from './command-module.ts';
import { addGlobalOptions, commandWord, flagsOf, normalized } from './global-options.ts';

test('the command is found behind global flags and their values', () => {
  assert.equal(commandWord(['-w', 'list', 'shell']), 'shell');
  assert.equal(commandWord(['--slot', '2', '--persistent', 'attach', 'x']), 'attach');
  assert.equal(commandWord(['--resume', 'shell']), 'shell');
  assert.equal(commandWord(['--workspace=/x', 'kill']), 'kill');
  assert.equal(commandWord([]), undefined);
  assert.equal(commandWord(['--', 'list']), undefined);
});

test('a bare --resume never swallows the alias behind it, and an id needs =', () => {
  assert.deepEqual(normalized(['shell', '--resume', 'web']), ['shell', '--resume=auto', 'web']);
  assert.deepEqual(normalized(['shell', '--resume=abc']), ['shell', '--resume=abc']);
});

test('switches take =true and =false, and what follows -- stays as it is', () => {
  assert.deepEqual(normalized(['shell', '--tmux=false', '--background=true', '--force=false']), [
    'shell',
    '--no-tmux',
    '--background',
  ]);
  assert.deepEqual(normalized(['run', '--', 'x', '--resume', '--tmux=false']), [
    'run',
    '--',
    'x',
    '--resume',
    '--tmux=false',
  ]);
});

test('flags that became keys are one flag with their value, before and behind the command', () => {
  assert.deepEqual(normalized(['--limit-cpu', '2', 'shell', '--monitor', 'web']), [
    '--old-flag',
    'limit-cpu=2',
    'shell',
    '--old-flag',
    'monitor=true',
    'web',
  ]);
  assert.equal(commandWord(['--limit-memory', '2GiB', 'run']), 'run');
});

test('flags count before and behind the name of the command, and lists are joined', async () => {
  const flags = async (...argv: string[]) => {
    const program = new Command('coi').enablePositionalOptions();
    const command = new Command('shell');
    addGlobalOptions(program);
    addGlobalOptions(command);
    let seen: GlobalOptions | undefined;
    command.action(() => {
      seen = flagsOf<GlobalOptions>(command);
    });
    await program.addCommand(command).parseAsync(argv, { from: 'user' });
    return seen;
  };
  assert.deepEqual((await flags('shell', '--env', 'A=1'))?.env, ['A=1']);
  assert.deepEqual((await flags('--env', 'A=1', 'shell', '--env', 'B=2'))?.env, ['A=1', 'B=2']);
  assert.equal((await flags('--slot', '2', 'shell'))?.slot, '2');
  assert.equal((await flags('--slot', '2', 'shell', '--slot', '3'))?.slot, '3');
});
