import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oldFlag, oldFlagSettings, valuedOldFlags } from './old-flags.ts';

test('a flag that became a key is found with its value, and no other word is', () => {
  assert.deepEqual(oldFlag('--limit-cpu', '2'), { given: 'limit-cpu=2', taken: 2 });
  assert.deepEqual(oldFlag('--limit-memory=2GiB', 'x'), { given: 'limit-memory=2GiB', taken: 1 });
  assert.deepEqual(oldFlag('--ssh-agent', 'x'), { given: 'ssh-agent=true', taken: 1 });
  for (const word of ['--limit', '--constructor', '--all', 'limit-cpu', '--'])
    assert.equal(oldFlag(word, 'x'), undefined);
  assert.throws(() => oldFlag('--limit-duration', undefined), { code: 'usage' });
  assert.ok(valuedOldFlags.includes('--timezone') && !valuedOldFlags.includes('--monitor'));
});

test('each counts as its key does, lists grow, and a value that the key refuses is refused', () => {
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
