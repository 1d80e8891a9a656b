// What a tree has changed since its base, or since what the user's branch already has.
import { ownRepository } from '../../host/git/run-git.ts';
import type { LeftBehind } from '../../trees/captured-files.ts';
import { type Change, countChanges } from '../../trees/changes.ts';
import type { AppContext } from '../context.ts';
import { captureTree } from './capture-tree.ts';
import { asTreeError } from './read-repository.ts';
import { changesBetween, landedCommit, userGit } from './tree-changes.ts';
import { repositoryOfTree } from './tree-places.ts';
import { type OwnTree, readTree, whileTreesLocked, writeTree } from './tree-store.ts';

export interface TreeDiff {
  readonly tree: OwnTree;
  /** Commits in the captures that are compared. */
  readonly from: string;
  readonly capture: string;
  readonly changes: readonly Change[];
  readonly leftBehind: readonly LeftBehind[];
}

export interface DiffRequest {
  /** The user's directory whose branch it is compared with. */
  readonly repository: string;
  /** Also what that branch already has. */
  readonly all: boolean;
}

/** Captures the tree first. */
export async function diffTree(
  app: AppContext,
  tree: OwnTree,
  { repository, all }: DiffRequest,
): Promise<TreeDiff> {
  const { captures } = repositoryOfTree(tree.places);
  try {
    return await whileTreesLocked(app, repositoryOfTree(tree.places), async () => {
      const current = readTree(tree.places) ?? tree;
      const [{ commit, leftBehind }, landed] = await Promise.all([
        captureTree(app, current),
        userGit(app, repository).then((user) => landedCommit(app, current, user)),
      ]);
      const from = all ? current.record.base : landed;
      const changes = await changesBetween(ownRepository(captures, app), from, commit);
      const record = { ...current.record, capture: commit };
      const counts = all ? record.counts : countChanges(changes);
      await writeTree({ ...current, record: { ...record, counts } });
      return { tree: current, from, capture: commit, changes, leftBehind };
    });
  } catch (error) {
    throw asTreeError(error, `comparing the tree ${tree.record.name}`);
  }
}
