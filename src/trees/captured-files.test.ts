// Which files of a tree a capture takes.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { captureMaxBytes, type PathState, planCapture } from './captured-files.ts';

const file = (bytes: number, isReadable = true): PathState => ({ kind: 'file', bytes, isReadable });

it('files and links are taken, and files that are gone or became directories are removed', () => {
  const states: Record<string, PathState> = {
    changed: file(1),
    link: { kind: 'link' },
    gone: { kind: 'missing' },
    directory: { kind: 'directory' },
    largest: file(captureMaxBytes),
  };
  const plan = planCapture([...Object.keys(states), 'changed'], (path) => states[path] ?? file(0));
  assert.deepEqual(plan, {
    add: ['changed', 'link', 'largest'],
    remove: ['gone', 'directory'],
    leftBehind: [],
  });
});

it('what a capture cannot hold is named with the reason, and a tracked file of that kind stays as it was', () => {
  const states: Record<string, PathState> = {
    fifo: { kind: 'special' },
    secret: file(1, false),
    closed: { kind: 'unknown' },
    huge: file(captureMaxBytes + 1),
  };
  const plan = planCapture([...Object.keys(states), 'nested/'], (path) => states[path] ?? file(0));
  assert.deepEqual(plan, {
    add: [],
    remove: ['fifo'],
    leftBehind: [
      { path: 'fifo', why: 'it is no regular file' },
      { path: 'secret', why: 'it cannot be read' },
      { path: 'closed', why: 'it cannot be read' },
      { path: 'huge', why: 'it is larger than 50 MiB' },
      { path: 'nested/', why: 'it is a repository of its own' },
    ],
  });
});

it('files that were brought along from the user are never taken, whatever the agent ignores', () => {
  const plan = planCapture(['.env', 'a'], () => file(1), new Set(['.env']));
  assert.deepEqual(plan, { add: ['a'], remove: [], leftBehind: [] });
});
