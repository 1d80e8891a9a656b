// The creation of a protected path is reported, at most once a minute per path.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newlyCreated, type ReportedCreation } from './tampering.ts';

const made = (told: Map<string, ReportedCreation>, there: readonly string[], nowMs: number) =>
  newlyCreated(['.husky', '.vscode'], told, (path) => there.includes(path), nowMs).map(
    ({ path }) => path,
  );

test('a path that is created is reported once while it exists, each path separately', () => {
  const reported = new Map<string, ReportedCreation>();
  assert.deepEqual(made(reported, [], 0), []);
  assert.deepEqual(made(reported, ['.husky'], 1), ['.husky']);
  assert.deepEqual(made(reported, ['.husky', '.vscode'], 2), ['.vscode']);
  assert.deepEqual(made(reported, ['.husky', '.vscode'], 600_000), []);
});

test('a path created and removed a thousand times in ten minutes is reported ten times', () => {
  const reported = new Map<string, ReportedCreation>();
  let count = 0;
  for (let nowMs = 0; nowMs < 600_000; nowMs += 600) {
    count += made(reported, ['.husky'], nowMs).length;
    made(reported, [], nowMs + 300);
  }
  assert.equal(count, 10);
});

test('a path created again within a minute is reported when the minute is over', () => {
  const reported = new Map<string, ReportedCreation>();
  assert.deepEqual(made(reported, ['.husky'], 0), ['.husky']);
  made(reported, [], 1000);
  assert.deepEqual(made(reported, ['.husky'], 2000), []);
  assert.deepEqual(made(reported, ['.husky'], 61_000), ['.husky']);
});
