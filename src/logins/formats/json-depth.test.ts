import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTooDeep } from './json-depth.ts';

const nested = (depth: number) => `${'{"a":['.repeat(depth / 2)}1${']}'.repeat(depth / 2)}`;

test('JSON depth is counted outside strings, and closed brackets do not add up', () => {
  assert.equal(isTooDeep(nested(200)), false);
  assert.equal(isTooDeep(nested(202)), true);
  assert.equal(isTooDeep('['.repeat(10_000_000)), true, 'also for invalid JSON');
  assert.equal(isTooDeep(JSON.stringify({ text: '{['.repeat(1000), quoted: '"{\\' })), false);
  assert.equal(isTooDeep(JSON.stringify(Array.from({ length: 1000 }, () => [{}]))), false);
});

test('JSON depth costs one step per character', () => {
  const text = JSON.stringify({ text: 'x'.repeat(16 * 2 ** 20) });
  const started = process.cpuUsage();
  assert.equal(isTooDeep(text), false);
  assert.ok(process.cpuUsage(started).user < 2_000_000);
});
