import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTooDeep } from './json-depth.ts';

const nested = (depth: number) => `${'{"a":['.repeat(depth / 2)}1${']}'.repeat(depth / 2)}`;

test('depth is counted outside of strings only, and what is closed again does not add up', () => {
  assert.equal(isTooDeep(nested(200)), false);
  assert.equal(isTooDeep(nested(202)), true);
  assert.equal(isTooDeep('['.repeat(10_000_000)), true, 'also of what is no JSON');
  assert.equal(isTooDeep(JSON.stringify({ text: '{['.repeat(1000), quoted: '"{\\' })), false);
  assert.equal(isTooDeep(JSON.stringify(Array.from({ length: 1000 }, () => [{}]))), false);
});

test('no text costs more than one look at each character', () => {
  const text = JSON.stringify({ text: 'x'.repeat(16 * 2 ** 20) });
  const begun = process.cpuUsage();
  assert.equal(isTooDeep(text), false);
  assert.ok(process.cpuUsage(begun).user < 2_000_000);
});
