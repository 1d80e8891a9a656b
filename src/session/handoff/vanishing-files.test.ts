// Files that are there when they are listed, and cannot be read: coid may have removed them meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedByGit } from './named-by-git.ts';
import type { EntryStats, WorkspaceTree } from './tree.ts';
import { WorkspaceScan } from './workspace-scan.ts';

const stats = { mode: 0o644, modifiedMs: 5, changedMs: 5, bornMs: 0 };
const files = ['config', 'config.worktree', 'commondir'];

/** A repository with configuration files that cannot be read; each is gone afterwards if `vanishes`. */
function treeOf(vanishes: boolean): WorkspaceTree {
  const kinds = new Map<string, EntryStats['kind']>([
    ['', 'directory'],
    ['.git', 'directory'],
    ...files.map((name) => [`.git/${name}`, 'file'] as const),
  ]);
  return {
    stats: (path) => {
      const kind = kinds.get(path);
      return kind && { ...stats, kind };
    },
    linkTarget: () => undefined,
    names: (path) => (path === '' ? ['.git'] : path === '.git' ? files : undefined),
    text: (path) => {
      if (vanishes) kinds.delete(path);
      return undefined;
    },
    mayEnter: () => true,
  };
}

function notChecked(vanishes: boolean): string[] {
  const window = { sinceMs: 0, guarded: new Set<string>() };
  return namedByGit(treeOf(vanishes), '/w', window, 1000)
    .notLookedAt.map(({ path }) => path)
    .sort();
}

function reported(vanishes: boolean): string[] {
  const window = { sinceMs: 0, guarded: new Set(['.git']) };
  const scan = new WorkspaceScan({ window, tree: treeOf(vanishes), root: '/w', thorough: false });
  scan.directory('', [{ name: '.git', kind: 'directory' }]);
  scan.directory(
    '.git',
    files.map((name) => ({ name, kind: 'file' })),
  );
  return scan.result().files.map(({ path }) => path);
}

test('git configuration that cannot be read is reported', () => {
  assert.deepEqual(notChecked(false), ['.git/config', '.git/config.worktree']);
  assert.deepEqual(reported(false), ['.git/commondir', '.git/config', '.git/config.worktree']);
});

test('placeholders that a session removes meanwhile are not reported', () => {
  assert.deepEqual(notChecked(true), []);
  assert.deepEqual(reported(true), []);
});
