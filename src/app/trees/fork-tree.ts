// A second tree with the files that another has now, for the fork of its session.
import { rm } from 'node:fs/promises';
import { hostFiles } from '../../host/fs/host-files.ts';
import { ownRepository } from '../../host/git/run-git.ts';
import { treeNameOf } from '../../trees/branch-name.ts';
import type { AppContext } from '../context.ts';
import { captureTree, treeIdOf } from './capture-tree.ts';
import { copyFiles } from './carry-files.ts';
import { makeTree } from './make-tree.ts';
import { asTreeError } from './read-repository.ts';
import { repositoryOfTree } from './tree-places.ts';
import { type OwnTree, treesIn, whileTreesLocked } from './tree-store.ts';

/** Its base is that of the other tree, and its branch has the next free number. Files that git ignores are not copied. */
export async function forkTree(app: AppContext, tree: OwnTree): Promise<OwnTree> {
  const places = repositoryOfTree(tree.places);
  const bases = ownRepository(places.bases, app);
  try {
    return await whileTreesLocked(app, places, async () => {
      const { commit } = await captureTree(app, tree);
      const files = await treeIdOf(ownRepository(places.captures, app), commit);
      const branch = nextBranch(tree.record.branch, treesIn(places));
      const record = {
        ...tree.record,
        name: treeNameOf(branch),
        branch,
        created: app.clock.now(),
        capture: undefined,
        counts: undefined,
      };
      return makeTree(app, {
        user: bases,
        repository: { isShallow: false },
        places,
        record,
        origin: undefined,
        files,
        carry: async (made) => {
          using source = hostFiles.open(tree.places.tree);
          using target = hostFiles.open(made);
          return source && target ? copyFiles(app, source, target, tree.record.carried) : [];
        },
      });
    });
  } catch (error) {
    throw asTreeError(error, `copying the tree ${tree.record.name}`);
  }
}

/** Undoes `forkTree`; no session has had the tree. */
export async function removeForkedTree({ places }: OwnTree): Promise<void> {
  await rm(places.directory, { recursive: true, force: true });
}

function nextBranch(branch: string, trees: readonly OwnTree[]): string {
  const used = new Set(trees.map(({ record }) => record.branch));
  const [, stem = branch, number] = /^(.*?)(?:-(\d{1,6}))?$/.exec(branch) ?? [];
  for (let next = Number(number ?? 1) + 1; ; next += 1)
    if (!used.has(`${stem}-${next}`)) return `${stem}-${next}`;
}
