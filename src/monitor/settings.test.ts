import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultSettings, parseMonitorKey } from './settings.ts';

test('what was written is read again', () => {
  assert.deepEqual(parseMonitorKey(JSON.stringify(defaultSettings)), defaultSettings);
});

test('no key means no watching, a damaged one means the defaults', () => {
  assert.equal(parseMonitorKey(undefined), undefined);
  assert.equal(parseMonitorKey(''), undefined);
  for (const text of ['{', 'null', '[]', '3', '{"pollMs":"soon","notify":[1]}']) {
    assert.deepEqual(parseMonitorKey(text), defaultSettings, text);
  }
});

test('no key makes coid look more than four times a second', () => {
  fc.assert(
    fc.property(fc.double(), (pollMs) => {
      const parsed = parseMonitorKey(JSON.stringify({ pollMs }));
      assert.ok(parsed && parsed.pollMs >= 250 && parsed.pollMs <= 60_000);
    }),
  );
});
