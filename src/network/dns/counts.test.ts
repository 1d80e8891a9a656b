import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carriesData } from '../../monitor/detectors/guard.ts';
import { QueryCounts } from './counts.ts';

const long = (index: number) => `${String(index).padEnd(55, 'q')}.t.example.com`;

test('distinct names are counted once per session, and those that carry data are kept for a minute', () => {
  const counts = new QueryCounts(carriesData);
  for (let round = 0; round < 3; round += 1) counts.note('a', 'registry.example', 0);
  for (let index = 0; index < 6; index += 1) counts.note('a', long(index), index * 1000);
  assert.deepEqual(counts.of('a', 6000), { names: 7, long: [0, 1, 2, 3, 4, 5].map(long) });
  assert.equal(counts.of('a', 62_500).long.length, 3);
  assert.deepEqual(counts.of('b', 0), { names: 0, long: [] });
  counts.forget('a');
  assert.equal(counts.of('a', 0).names, 0);
});

test('a flood of names is counted in limited memory', () => {
  const counts = new QueryCounts(carriesData);
  for (let index = 0; index < 20_000; index += 1) counts.note('a', long(index), 0);
  const { names, long: kept } = counts.of('a', 0);
  assert.ok(names === 20_000 && kept.length === 500);
});
