import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandWord, normalized } from './global.ts';

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
  assert.deepEqual(normalized(['shell', '--tmux=false', '--background=true', '--force=false']), ['shell', '--no-tmux', '--background']);
  assert.deepEqual(normalized(['run', '--', 'x', '--resume', '--tmux=false']), ['run', '--', 'x', '--resume', '--tmux=false']);
});
