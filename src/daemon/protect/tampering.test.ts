// Goal: a protected path that is made is told, and who makes and removes it in a loop is told of once a minute.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newlyMade, type ToldMade } from './tampering.ts';

const made = (told: Map<string, ToldMade>, there: readonly string[], nowMs: number) =>
  newlyMade(['.husky', '.vscode'], told, (path) => there.includes(path), nowMs).map(
    ({ path }) => path,
  );

test('a path that is made is told once while it stays, each path for itself', () => {
  const told = new Map<string, ToldMade>();
  assert.deepEqual(made(told, [], 0), []);
  assert.deepEqual(made(told, ['.husky'], 1), ['.husky']);
  assert.deepEqual(made(told, ['.husky', '.vscode'], 2), ['.vscode']);
  assert.deepEqual(made(told, ['.husky', '.vscode'], 600_000), []);
});

test('made and removed a thousand times in ten minutes, it is told ten times', () => {
  const told = new Map<string, ToldMade>();
  let count = 0;
  for (let nowMs = 0; nowMs < 600_000; nowMs += 600) {
    count += made(told, ['.husky'], nowMs).length;
    made(told, [], nowMs + 300);
  }
  assert.equal(count, 10);
});

test('made again within the minute, and there to stay: it is told when the minute is over', () => {
  const told = new Map<string, ToldMade>();
  assert.deepEqual(made(told, ['.husky'], 0), ['.husky']);
  made(told, [], 1000);
  assert.deepEqual(made(told, ['.husky'], 2000), []);
  assert.deepEqual(made(told, ['.husky'], 61_000), ['.husky']);
});
