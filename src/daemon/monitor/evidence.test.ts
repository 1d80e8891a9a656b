// Names of evidence copies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyPrefix } from './evidence.ts';

const stamp = '2026-11-26-101500';

test('an evidence copy of any container has a name that Incus accepts', () => {
  for (let length = 1; length <= 63; length += 1) {
    const name = `${copyPrefix('c'.repeat(length))}${stamp}`;
    assert.ok(name.length <= 63, `${name.length} characters for one of ${length}`);
    assert.match(name, /^[a-z][a-z0-9-]*[a-z0-9]$/);
  }
  assert.equal(copyPrefix('coi-1234abcd-1'), 'coi-1234abcd-1-forensics-');
});

test('evidence copies of two containers with long names do not collide', () => {
  const long = 'a-prefix-that-is-much-too-long-for-it-0123abcd';
  assert.notEqual(copyPrefix(`${long}-1`), copyPrefix(`${long}-2`));
});
