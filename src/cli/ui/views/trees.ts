// Own trees as text and JSON. Pure.
import type { MergeResult } from '../../../app/trees/merge-tree.ts';
import type { OwnTree } from '../../../app/trees/tree-store.ts';
import { countChanges } from '../../../trees/changes.ts';
import { ageText } from '../age-text.ts';
import { abbreviateHome } from '../home-path.ts';
import { table } from '../table.ts';
import { sizeText } from './changes.ts';

export interface ListedTree {
  readonly tree: OwnTree;
  /** Names of the containers that have it. */
  readonly containers: readonly string[];
}

export function treesText(
  trees: readonly ListedTree[],
  { nowMs, home }: { readonly nowMs: number; readonly home: string },
): string[] {
  if (trees.length === 0) return ['No trees. `coi --branch NAME` makes one.'];
  return table(
    ['TREE', 'BRANCH', 'CHANGES', 'SESSION', 'AGE', 'REPOSITORY'],
    trees.map(({ tree: { record }, containers }) => [
      record.name,
      record.branch,
      sizeText(record.counts) ?? '-',
      containers.join(' ') || '-',
      ageText(nowMs - record.created.getTime()),
      abbreviateHome(record.repository, home),
    ]),
  );
}

export function treesJson(trees: readonly ListedTree[]): Record<string, unknown>[] {
  return trees.map(({ tree: { record, places }, containers }) => ({
    name: record.name,
    branch: record.branch,
    repository: record.repository,
    path: places.tree,
    base: record.base,
    from: record.from ?? null,
    created_at: record.created.toISOString(),
    capture: record.capture ?? null,
    changes: record.counts ?? null,
    merged: record.landing?.capture ?? null,
    containers,
  }));
}

export function mergeJson(result: MergeResult): Record<string, unknown> {
  const { tree, changes, branch, commit, leftBehind } = result;
  return {
    tree: tree.record.name,
    branch: branch ?? null,
    commit: commit ?? null,
    ...countChanges(changes),
    paths: changes.map(({ path }) => path),
    left_behind: leftBehind,
  };
}
