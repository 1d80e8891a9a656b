import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedByGit } from './named-by-git.ts';
import type { EntryStats, WorkspaceTree } from './tree.ts';

const textMax = 1000;
const stats = { mode: 0o644, modifiedMs: 0, changedMs: 0, bornMs: 0 };

/** A workspace with one git configuration that cannot be read, and is gone afterwards if `vanishes`. */
function treeOf(vanishes: boolean): WorkspaceTree {
  const kinds = new Map<string, EntryStats['kind']>([
    ['', 'directory'],
    ['.git', 'directory'],
    ['.git/config', 'file'],
  ]);
  return {
    stats: (path) => {
      const kind = kinds.get(path);
      return kind && { ...stats, kind };
    },
    linkTarget: () => undefined,
    names: (path) => (path === '' ? ['.git'] : path === '.git' ? ['config'] : undefined),
    text: (path) => {
      if (vanishes) kinds.delete(path);
      return undefined;
    },
    mayEnter: () => true,
  };
}

const notChecked = (vanishes: boolean) =>
  namedByGit(treeOf(vanishes), '/w', { sinceMs: 0, guarded: new Set() }, textMax).notLookedAt;

test('a git configuration that cannot be read makes the report incomplete', () => {
  assert.deepEqual(notChecked(false), [
    { path: '.git/config', why: 'this git configuration could not be checked' },
  ]);
});

test('a placeholder that a session removes meanwhile does not make the report incomplete', () => {
  assert.deepEqual(notChecked(true), []);
});
