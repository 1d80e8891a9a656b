// The text of a tree's changes, as `git diff` prints it.
import { type Git, ownRepository, userRepository } from '../../host/git/run-git.ts';
import type { AppContext } from '../context.ts';
import { asTreeError } from './read-repository.ts';
import type { TreeDiff } from './tree-diff.ts';
import { repositoryOfTree } from './tree-places.ts';
import type { OwnTree } from './tree-store.ts';

/** Bytes as characters (latin1): files need not be UTF-8. */
export async function patchOf(
  app: AppContext,
  { tree, from, capture }: Pick<TreeDiff, 'tree' | 'from' | 'capture'>,
  paths: readonly string[],
): Promise<string> {
  const git = ownRepository(repositoryOfTree(tree.places).captures, app);
  try {
    const { stdout } = await git.run({
      args: [
        ...['diff', '--no-color', '--no-ext-diff', '--no-textconv', '-M', from, capture, '--'],
        ...paths.map((path) => `:(top,literal)${path}`),
      ],
      settings: ['core.quotePath=true'],
      encoding: 'latin1',
    });
    return stdout;
  } catch (error) {
    throw asTreeError(error, `comparing the tree ${tree.record.name}`);
  }
}

/** The pager of the user's git: $GIT_PAGER, core.pager, $PAGER or less. Source: git-var(1). */
export async function userPager(app: AppContext, { record }: OwnTree): Promise<string> {
  const { env } = app;
  return (
    env['GIT_PAGER'] ??
    (await configuredPager(userRepository(record.repository, app))) ??
    env['PAGER'] ??
    'less'
  );
}

async function configuredPager(user: Git): Promise<string | undefined> {
  const { stdout } = await user.run({
    args: ['config', '--get-all', 'core.pager'],
    answers: [1, 128],
  });
  // The last value is that of our own calls.
  return stdout.split('\n').slice(0, -2).at(-1);
}
