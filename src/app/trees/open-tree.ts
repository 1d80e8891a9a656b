// Finds the own tree for a session, or makes it.

import { mkdir } from 'node:fs/promises';
import { CoiError } from '../../errors.ts';
import { type Git, userRepository } from '../../host/git/run-git.ts';
import { absoluteWorkspace } from '../../names.ts';
import { checkedBranch, treeNameOf } from '../../trees/branch-name.ts';
import { originWithoutCredentials } from '../../trees/origin.ts';
import type { Repository } from '../../trees/repository.ts';
import type { TreeRecord } from '../../trees/tree-record.ts';
import type { AppContext } from '../context.ts';
import { checkWorkspace, type Workspace } from '../workspace.ts';
import { carryFiles } from './carry-files.ts';
import { makeTree } from './make-tree.ts';
import { assertTreePossible, asTreeError, readRepository } from './read-repository.ts';
import { type RepositoryPlaces, repositoryPlaces } from './tree-places.ts';
import { type OwnTree, readTreeAround, treesIn, whileTreesLocked } from './tree-store.ts';

export interface OpenTreeRequest {
  /** Relative to the current directory, which is the default. */
  readonly workspace: string | undefined;
  /** Undefined: a new one, whose name coi chooses. */
  readonly branch: string | undefined;
  /** Refuse a tree that exists. */
  readonly isNew: boolean;
  /** Commit, branch or tag that a new tree begins with. */
  readonly from: string | undefined;
  /** Files of that directory that no session may see. */
  readonly hiddenIn: (top: Workspace) => Promise<readonly string[]>;
}

const no = [1];
const fatal = 128;

/** Throws `workspace-invalid`, `tree-unsupported`, `tree-exists` and `tree-failed`; then nothing was made. */
export async function openTree(app: AppContext, request: OpenTreeRequest): Promise<OwnTree> {
  const { workspace } = checkWorkspace(app, request.workspace);
  const user = userRepository(
    readTreeAround(app.user.home, workspace)?.record.repository ?? workspace,
    app,
  );
  const repository = await readRepository(user, workspace);
  const places = repositoryPlaces(app.user.home, repository.common);
  const branch = request.branch === undefined ? undefined : checkedBranch(request.branch);
  const existing = branch === undefined ? undefined : findBranch(places, branch);
  if (existing) return joinTree(existing, request);
  await mkdir(places.directory, { recursive: true, mode: 0o700 });
  return whileTreesLocked(app, places, async () => {
    const made = branch === undefined ? undefined : findBranch(places, branch);
    if (made) return joinTree(made, request);
    const chosen = branch ?? (await unusedBranch(user, places));
    try {
      return await newTree(app, request, { user, repository, places, branch: chosen });
    } catch (error) {
      throw asTreeError(error, `making a tree for ${chosen}`);
    }
  });
}

function joinTree(tree: OwnTree, { isNew, from }: OpenTreeRequest): OwnTree {
  const { branch, name } = tree.record;
  if (isNew || from !== undefined)
    throw new CoiError('tree-exists', `the tree ${branch} exists already`, {
      hint: `Run \`coi --branch ${branch}\` to work in it, or \`coi discard ${name}\` to remove it.`,
    });
  return tree;
}

function findBranch(places: RepositoryPlaces, branch: string): OwnTree | undefined {
  return treesIn(places).find(({ record }) => record.branch === branch);
}

/** `agent-1` and so on: neither a tree nor a branch of the user. */
async function unusedBranch(user: Git, places: RepositoryPlaces): Promise<string> {
  const { stdout } = await user.run({
    args: ['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/agent-*'],
  });
  const used = new Set([
    ...stdout.split('\n'),
    ...treesIn(places).map(({ record }) => record.branch),
  ]);
  for (let number = 1; ; number += 1) if (!used.has(`agent-${number}`)) return `agent-${number}`;
}

interface NewTree {
  readonly user: Git;
  readonly repository: Repository;
  readonly places: RepositoryPlaces;
  readonly branch: string;
}

async function newTree(
  app: AppContext,
  request: OpenTreeRequest,
  { user, repository, places, branch }: NewTree,
): Promise<OwnTree> {
  const top = absoluteWorkspace(repository.top);
  if (!top) throw new Error('git printed a relative path');
  const start = await startOf(user, repository, request.from, branch);
  await assertTreePossible(user, repository, start.commit);
  if (start.said) app.report.info(start.said);
  const [origin, dirty, hidden] = await Promise.all([
    user.run({ args: ['config', '--get', 'remote.origin.url'], answers: no }),
    user.run({ args: ['status', '--porcelain', '-z', '--untracked-files=no'] }),
    request.hiddenIn(checkWorkspace(app, top)),
  ]);
  if (dirty.stdout !== '')
    app.report.info('Uncommitted changes of your directory are not in the tree');
  const record: TreeRecord = {
    name: treeNameOf(branch),
    branch,
    repository: top,
    base: start.commit,
    from: start.branch,
    created: app.clock.now(),
    capture: undefined,
    counts: undefined,
    landing: undefined,
    carried: [],
  };
  return makeTree(app, {
    user,
    repository,
    places,
    record,
    origin: originWithoutCredentials(origin.stdout.trim()),
    carry: (tree) => carryFiles(app, { user, top, tree, hidden }),
  });
}

interface Start {
  readonly commit: string;
  /** Of the user, if it begins with one. */
  readonly branch: string | undefined;
  readonly said: string | undefined;
}

/** `--from`, else a branch of that name, here or of `origin`, else HEAD. */
async function startOf(
  user: Git,
  { head, branch: current }: Repository,
  from: string | undefined,
  wanted: string,
): Promise<Start> {
  if (from !== undefined) {
    const commit = from.startsWith('-') ? undefined : await commitOf(user, from);
    if (commit === undefined)
      throw new CoiError('usage', `--from ${from} is no commit, branch or tag of this repository`, {
        hint: 'Run `git branch --all` to see the branches.',
      });
    const isBranch = (await commitOf(user, `refs/heads/${from}`)) !== undefined;
    return { commit, branch: isBranch ? from : undefined, said: undefined };
  }
  const own = await commitOf(user, `refs/heads/${wanted}`);
  if (own !== undefined)
    return { commit: own, branch: wanted, said: `The tree begins with your branch ${wanted}` };
  const remote = await commitOf(user, `refs/remotes/origin/${wanted}`);
  if (remote !== undefined)
    return { commit: remote, branch: undefined, said: `The tree begins with origin/${wanted}` };
  if (head === undefined)
    throw new CoiError('tree-unsupported', 'this repository has no commit yet', {
      hint: 'Make a first commit, or use --shared-tree.',
    });
  return { commit: head, branch: current, said: undefined };
}

async function commitOf(user: Git, revision: string): Promise<string | undefined> {
  const { status, stdout } = await user.run({
    args: ['rev-parse', '--quiet', '--verify', '--end-of-options', `${revision}^{commit}`],
    answers: [...no, fatal],
  });
  return status === 0 ? stdout.trim() : undefined;
}
