// Finds the own tree that a command names.
import { CoiError } from '../../errors.ts';
import { userRepository } from '../../host/git/run-git.ts';
import { quoted } from '../../names.ts';
import { findContainer } from '../../session/record/find-container.ts';
import { workspaceOf } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { resolveWorkspace } from '../resolve-workspace.ts';
import { ownContainers } from '../targets/user-containers.ts';
import { readRepository } from './read-repository.ts';
import { repositoryOfTree, repositoryPlaces } from './tree-places.ts';
import { allTrees, type OwnTree, readTreeAround, readTreeOf, treesIn } from './tree-store.ts';

export interface TreeTarget {
  /** Name, branch, or a container or alias of its session; undefined: the only one of the repository. */
  readonly word: string | undefined;
  /** Relative to the current directory, which is the default. */
  readonly workspace: string | undefined;
}

/** Throws `tree-not-found`. */
export async function findTree(app: AppContext, { word, workspace }: TreeTarget): Promise<OwnTree> {
  const here = await treesHere(app, workspace);
  if (word === undefined) return onlyTree(app, here, workspace);
  const named = here.filter((tree) => isNamed(tree, word));
  const [first, ...others] =
    named.length > 0 ? named : allTrees(app.user.home).filter((tree) => isNamed(tree, word));
  if (others.length > 0)
    throw new CoiError('tree-not-found', `${quoted(word)} is a tree of several repositories`, {
      hint: 'Run the command in the directory of the repository.',
    });
  const found = first ?? (await treeOfSession(app, word));
  if (found) return found;
  throw new CoiError('tree-not-found', `there is no tree ${quoted(word)}`, {
    hint: 'Run `coi trees` to see the trees, or `coi --branch NAME` to make one.',
  });
}

/** The trees of the repository of the current directory. */
export async function treesHere(
  app: AppContext,
  workspace: string | undefined,
): Promise<readonly OwnTree[]> {
  const path = resolveWorkspace(app, workspace);
  const inside = readTreeAround(app.user.home, path);
  try {
    const directory = inside?.record.repository ?? path;
    const { common } = await readRepository(userRepository(directory, app), directory);
    return treesIn(repositoryPlaces(app.user.home, common));
  } catch (error) {
    if (error instanceof CoiError) return inside ? [inside] : [];
    throw error;
  }
}

/** The user's directory that a tree is compared with and merged into: the current one if it is of the same repository. */
export async function repositoryFor(
  app: AppContext,
  { record, places }: OwnTree,
  workspace: string | undefined,
): Promise<string> {
  const path = resolveWorkspace(app, workspace);
  if (readTreeAround(app.user.home, path)) return record.repository;
  try {
    const { top, common } = await readRepository(userRepository(path, app), path);
    const here = repositoryPlaces(app.user.home, common).directory;
    return here === repositoryOfTree(places).directory ? top : record.repository;
  } catch (error) {
    if (error instanceof CoiError) return record.repository;
    throw error;
  }
}

function onlyTree(
  app: AppContext,
  here: readonly OwnTree[],
  workspace: string | undefined,
): OwnTree {
  const inside = readTreeAround(app.user.home, resolveWorkspace(app, workspace));
  const [only, ...others] = inside ? [inside] : here;
  if (only && others.length === 0) return only;
  if (!only)
    throw new CoiError('tree-not-found', 'this repository has no trees of its own', {
      hint: 'Run `coi --branch NAME` to make one, or `coi trees --all` to see those of other repositories.',
    });
  const names = here.map(({ record }) => record.name).join(', ');
  throw new CoiError('tree-not-found', `this repository has ${here.length} trees`, {
    hint: `Name one of: ${names}.`,
  });
}

function isNamed({ record }: OwnTree, word: string): boolean {
  return record.name === word || record.branch === word;
}

async function treeOfSession(app: AppContext, word: string): Promise<OwnTree | undefined> {
  const container = findContainer(app, await ownContainers(app, {}), word);
  const workspace = container && workspaceOf(container);
  return workspace === undefined ? undefined : readTreeOf(app.user.home, workspace);
}
