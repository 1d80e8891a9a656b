// What a tree has changed and the user's branch does not have yet.
import { type Git, ownRepository, userRepository } from '../../host/git/run-git.ts';
import { type Change, parseChanges } from '../../trees/changes.ts';
import type { AppContext } from '../context.ts';
import { repositoryOfTree } from './tree-places.ts';
import type { OwnTree } from './tree-store.ts';

const no = [1];
const fatal = 128;

/** Renames are found among this many files. */
const renameLimit = 1000;

/** From one commit or tree to another, all in that repository. `renames` false: a rename is an added and a deleted file. */
export async function changesBetween(
  git: Git,
  from: string,
  to: string,
  { renames = true, env = {} }: { renames?: boolean; env?: Readonly<Record<string, string>> } = {},
): Promise<readonly Change[]> {
  const { stdout } = await git.run({
    args: [
      ...['diff-tree', '-r', '-z', '--raw', '--numstat', '--no-ext-diff', '--no-textconv'],
      ...(renames ? ['-M', `-l${renameLimit}`] : ['--no-renames']),
      ...[from, to],
    ],
    env,
  });
  return parseChanges(stdout);
}

/**
 * The capture, or the base, that the user's branch has: the next changes begin there. A capture that was merged counts
 * while its commit is in the branch; one that was only staged, or committed again by the user, while all of its files are.
 */
export async function landedCommit(
  app: AppContext,
  { record, places }: OwnTree,
  user: Git | undefined,
): Promise<string> {
  const { base, landing } = record;
  if (!landing || !user) return base;
  const { commit, capture } = landing;
  if (commit !== undefined) {
    const { status } = await user.run({
      args: ['merge-base', '--is-ancestor', commit, 'HEAD'],
      answers: [...no, fatal],
    });
    if (status === 0) return capture;
  }
  const { captures } = repositoryOfTree(places);
  const changed = await changesBetween(ownRepository(captures, app), base, capture, {
    renames: false,
  });
  const different = await user.run({
    args: ['diff-tree', '-r', '-z', '--name-only', '--no-renames', 'HEAD', capture],
    env: { GIT_ALTERNATE_OBJECT_DIRECTORIES: `${captures}/objects` },
    answers: [fatal],
  });
  if (different.status !== 0) return base;
  const others = new Set(different.stdout.split('\0'));
  return changed.every(({ path }) => !others.has(path)) ? capture : base;
}

/** The user's repository in that directory; undefined if it is gone. */
export async function userGit(app: AppContext, repository: string): Promise<Git | undefined> {
  const git = userRepository(repository, app);
  const { status } = await git.run({
    args: ['rev-parse', '--git-dir'],
    answers: [...no, fatal],
  });
  return status === 0 ? git : undefined;
}
