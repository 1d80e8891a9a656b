import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oldFlagSettings, parseOldFlag, valuedOldFlags } from './old-flags.ts';

test('only flags that became keys are recognised as old flags, with their values', () => {
  assert.deepEqual(parseOldFlag('--limit-cpu', '2'), { given: 'limit-cpu=2', taken: 2 });
  assert.deepEqual(parseOldFlag('--limit-memory=2GiB', 'x'), {
    given: 'limit-memory=2GiB',
    taken: 1,
  });
  assert.deepEqual(parseOldFlag('--ssh-agent', 'x'), { given: 'ssh-agent=true', taken: 1 });
  for (const word of ['--limit', '--constructor', '--all', 'limit-cpu', '--'])
    assert.equal(parseOldFlag(word, 'x'), undefined);
  assert.throws(() => parseOldFlag('--limit-duration', undefined), { code: 'usage' });
  assert.ok(valuedOldFlags.includes('--timezone') && !valuedOldFlags.includes('--monitor'));
});

test('an old flag behaves like its key: lists grow, invalid values are refused', () => {
  const given = (...words: string[]) => oldFlagSettings(words, '/home/u');
  assert.deepEqual(
    given('limit-cpu=0-3', 'limit-processes=100', 'monitor=true', 'ssh-agent=false'),
    {
      'limits.cpu.count': '0-3',
      'limits.runtime.max_processes': 100,
      'monitoring.enabled': true,
      'ssh.forward_agent': false,
    },
  );
  assert.deepEqual(given('forward-env=A,B', 'forward-env=C'), {
    'defaults.forward_env': ['A', 'B', 'C'],
  });
  assert.deepEqual(given('timezone=Europe/Prague'), {
    'timezone.mode': 'fixed',
    'timezone.name': 'Europe/Prague',
  });
  assert.deepEqual(given('timezone=utc'), { 'timezone.mode': 'utc' });
  for (const word of ['limit-cpu=two', 'limit-processes=-1', 'limit-duration=-5m'])
    assert.throws(() => given(word), { code: 'usage' }, word);
});
