// Brings the changes of a tree into the user's branch as one commit, or stages them. Everything is computed in objects
// beside the user's repository first; then git itself brings it in, all or nothing, and keeps the user's other changes.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Git, GitError, userRepository } from '../../host/git/run-git.ts';
import type { LeftBehind } from '../../trees/captured-files.ts';
import type { Change } from '../../trees/changes.ts';
import { busyEntries, filesInTheWay } from '../../trees/merge-check.ts';
import type { AppContext } from '../context.ts';
import { captureTree } from './capture-tree.ts';
import {
  computeMerge,
  makeCommit,
  type Objects,
  refused,
  refuseNewFilters,
  transfer,
} from './merge-objects.ts';
import { whilePaused } from './pause-tree.ts';
import { asTreeError, readRepository } from './read-repository.ts';
import { changesBetween, landedCommit } from './tree-changes.ts';
import { repositoryOfTree } from './tree-places.ts';
import { type OwnTree, readTree, whileTreesLocked, writeTree } from './tree-store.ts';

const applyMs = 900_000;

export interface MergeRequest {
  /** The user's directory that gets the changes. */
  readonly repository: string;
  /** `commit`: one commit on the current branch; `apply`: staged; `check`: nothing is changed. */
  readonly mode: 'commit' | 'apply' | 'check';
  /** Of the commit; undefined: a text that names the tree. */
  readonly message: string | undefined;
}

export interface MergeResult {
  readonly tree: OwnTree;
  /** What the repository gets; empty if it has everything. */
  readonly changes: readonly Change[];
  /** The user's branch; undefined if HEAD is detached. */
  readonly branch: string | undefined;
  /** The new commit. */
  readonly commit: string | undefined;
  readonly leftBehind: readonly LeftBehind[];
  /** The repository has hooks for commits, which did not run. */
  readonly hasHooks: boolean;
}

/** Throws `merge-conflict`, `merge-refused` and `tree-failed`; then nothing of the user's has changed. */
export async function mergeTree(
  app: AppContext,
  tree: OwnTree,
  request: MergeRequest,
): Promise<MergeResult> {
  const { repository } = request;
  const doing = `merging the tree ${tree.record.name}`;
  try {
    return await whileTreesLocked(app, repositoryOfTree(tree.places), async () => {
      const current = readTree(tree.places) ?? tree;
      const capture = await captureTree(app, current);
      const captured = { ...current, record: { ...current.record, capture: capture.commit } };
      await writeTree(captured);
      const user = userRepository(repository, app);
      // Sessions in the user's own directory must not change it meanwhile.
      const { result } = await whilePaused(app, repository, () =>
        mergeCapture(app, captured, capture.commit, user, request),
      );
      return { ...result, leftBehind: capture.leftBehind };
    });
  } catch (error) {
    throw asTreeError(error, doing);
  }
}

type Merged = Omit<MergeResult, 'leftBehind'>;

async function mergeCapture(
  app: AppContext,
  tree: OwnTree,
  capture: string,
  user: Git,
  { mode, message, repository: into }: MergeRequest,
): Promise<Merged> {
  const { record, places } = tree;
  const { head, branch, top, gitDirectory, common } = await readRepository(user, into);
  if (head === undefined) throw refused('the repository has no commit');
  await refuseBusy(gitDirectory);
  const from = await landedCommit(app, tree, user);
  const repository = repositoryOfTree(places);
  const quarantine = await mkdtemp(join(repository.directory, '.merge-'));
  try {
    const { stdout: objects } = await user.run({
      args: ['rev-parse', '--path-format=absolute', '--git-path', 'objects'],
    });
    const env = {
      GIT_OBJECT_DIRECTORY: quarantine,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: [objects.trimEnd(), `${repository.captures}/objects`].join(
        ':',
      ),
    };
    const merged = await computeMerge(user, env, { head, from, capture });
    const changes = await changesBetween(user, head, merged, { env });
    const nothing = { tree, changes, branch, commit: undefined, hasHooks: false };
    if (changes.length === 0) {
      if (mode !== 'check') await recordLanding(tree, capture, record.landing?.commit);
      return nothing;
    }
    await refuseNewFilters(user, env, head, merged);
    if (mode === 'check') {
      await checkWorkTree(user, env, head, merged);
      return nothing;
    }
    const commit = await makeCommit(user, env, { head, merged, message: message ?? title(tree) });
    await transfer(user, env, quarantine, { head, commit });
    await bringIn(user, commit, mode);
    await recordLanding(tree, capture, mode === 'commit' ? commit : undefined);
    return {
      tree,
      changes,
      branch,
      commit: mode === 'commit' ? commit : undefined,
      hasHooks: await hasCommitHooks(user, top, common),
    };
  } finally {
    await rm(quarantine, { recursive: true, force: true });
  }
}

async function refuseBusy(gitDirectory: string): Promise<void> {
  const entries = new Set(await readdir(gitDirectory));
  for (const [name, what] of Object.entries(busyEntries))
    if (entries.has(name)) throw refused(what, 'Finish or abort it, then run the command again.');
}

async function checkWorkTree(user: Git, env: Objects, head: string, merged: string) {
  try {
    await user.run({ args: ['read-tree', '--dry-run', '-m', '-u', head, merged], env });
  } catch (error) {
    throw asRefusal(error);
  }
}

async function bringIn(user: Git, commit: string, mode: 'commit' | 'apply'): Promise<void> {
  const way = mode === 'commit' ? ['--ff-only'] : ['--ff', '--squash'];
  try {
    await user.run({
      args: [
        ...['merge', '--quiet', '--no-stat', '--no-verify-signatures', '--no-overwrite-ignore'],
        ...[...way, commit],
      ],
      limitMs: applyMs,
    });
  } catch (error) {
    throw asRefusal(error);
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof GitError)) return error;
  const files = filesInTheWay(error.details);
  const why = files.length > 0 ? `your changes are in the way: ${files.join(', ')}` : error.message;
  return refused(why, 'Commit, stash or move them, then run the command again.', error);
}

function title({ record }: OwnTree): string {
  return `Merge the work of the coi session ${record.branch}`;
}

async function recordLanding(tree: OwnTree, capture: string, commit: string | undefined) {
  const counts = { files: 0, added: 0, removed: 0 };
  await writeTree({ ...tree, record: { ...tree.record, counts, landing: { capture, commit } } });
}

/** git runs none of them here. */
async function hasCommitHooks(user: Git, top: string, common: string): Promise<boolean> {
  const { stdout } = await user.run({
    args: ['config', '--type=path', '--get-all', 'core.hooksPath'],
    answers: [1],
  });
  // The last value is that of our own calls.
  const own = stdout.split('\n').filter((line) => line !== '' && line !== '/dev/null');
  const directory = resolve(top, own.at(-1) ?? `${common}/hooks`);
  try {
    const names = await readdir(directory);
    return names.some((name) => /^(?:pre-commit|commit-msg|prepare-commit-msg)$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
