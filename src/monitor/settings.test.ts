import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultSettings, parseMonitorKey } from './settings.ts';

test('monitor settings are read back as written', () => {
  assert.deepEqual(parseMonitorKey(JSON.stringify(defaultSettings)), defaultSettings);
});

test('a missing key disables monitoring, a damaged one means defaults', () => {
  assert.equal(parseMonitorKey(undefined), undefined);
  assert.equal(parseMonitorKey(''), undefined);
  for (const text of ['{', 'null', '[]', '3', '{"pollMs":"soon","notify":[1]}']) {
    assert.deepEqual(parseMonitorKey(text), defaultSettings, text);
  }
});

test('no setting makes coid sample more than four times a second', () => {
  fc.assert(
    fc.property(fc.double(), (pollMs) => {
      const parsed = parseMonitorKey(JSON.stringify({ pollMs }));
      assert.ok(parsed && parsed.pollMs >= 250 && parsed.pollMs <= 60_000);
    }),
  );
});
