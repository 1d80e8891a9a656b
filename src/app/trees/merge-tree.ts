// Brings the changes of a tree into the user's branch as one commit, or stages them. Everything is computed in objects
// beside the user's repository first; then git itself brings it in, all or nothing, and keeps the user's other changes.
import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CoiError } from '../../errors.ts';
import { type Git, GitError, userRepository } from '../../host/git/run-git.ts';
import type { Change } from '../../trees/changes.ts';
import {
  busyEntries,
  filesInTheWay,
  foreignPaths,
  parseMergeTree,
} from '../../trees/merge-check.ts';
import { filtersIn } from '../../trees/repository.ts';
import type { LeftBehind } from '../../trees/captured-files.ts';
import type { AppContext } from '../context.ts';
import { captureTree } from './capture-tree.ts';
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

type Objects = Readonly<Record<string, string>>;

/** The merged tree: three-way over the trees of `from`, the user's HEAD and the capture, whatever their history says. */
async function computeMerge(
  user: Git,
  env: Objects,
  { head, from, capture }: { readonly head: string; readonly from: string; readonly capture: string },
): Promise<string> {
  const bare = async (commit: string, parents: readonly string[]) => {
    const { stdout } = await user.run({
      args: ['commit-tree', `${commit}^{tree}`, ...parents.flatMap((one) => ['-p', one]), '-m', 'coi'],
      env: { ...env, ...nobody },
    });
    return stdout.trim();
  };
  const base = await bare(from, []);
  const [ours, theirs] = [await bare(head, [base]), await bare(capture, [base])];
  const end = await user.run({
    args: ['merge-tree', '--write-tree', '-z', '--name-only', ours, theirs],
    settings: ['merge.directoryRenames=false'],
    env,
    answers: [1],
  });
  const { tree, conflicts } = parseMergeTree(end.stdout);
  if (end.status === 1)
    throw new CoiError('merge-conflict', `the changes conflict in: ${conflicts.join(', ')}`, {
      hint: 'Ask the agent to take over your changes of these files, or merge them by hand.',
    });
  const options = { env, renames: false };
  const [result, own, users] = await Promise.all([
    changesBetween(user, head, tree, options),
    changesBetween(user, from, capture, options),
    changesBetween(user, from, head, { env }),
  ]);
  const [foreign] = foreignPaths(result, own, users);
  if (foreign !== undefined)
    throw refused(`the result would change ${foreign}, which the tree did not change`);
  return tree;
}

/** Objects that only serve to compute need no identity of the user. */
const nobody = {
  GIT_AUTHOR_NAME: 'coi',
  GIT_AUTHOR_EMAIL: 'coi@localhost',
  GIT_COMMITTER_NAME: 'coi',
  GIT_COMMITTER_EMAIL: 'coi@localhost',
};

async function refuseBusy(gitDirectory: string): Promise<void> {
  const entries = new Set(await readdir(gitDirectory));
  for (const [name, what] of Object.entries(busyEntries))
    if (entries.has(name))
      throw refused(what, 'Finish or abort it, then run the command again.');
}

/** A filter of the user would run on what the agent wrote. */
async function refuseNewFilters(user: Git, env: Objects, head: string, merged: string) {
  const named = async (tree: string) => {
    const { stdout } = await user.run({
      args: [
        ...['grep', '--no-textconv', '-hE', '[[:space:]](filter|working-tree-encoding)='],
        ...[tree, '--', ':(top,glob)**/.gitattributes'],
      ],
      answers: [1],
      env,
    });
    return filtersIn(stdout);
  };
  const [before, after] = await Promise.all([named(head), named(merged)]);
  const added = after.find((name) => !before.includes(name));
  if (added !== undefined)
    throw refused(
      `.gitattributes would make git run the filter or encoding ${added} on the new files`,
      'Have the agent remove it, or take the files over by hand.',
    );
}

async function checkWorkTree(user: Git, env: Objects, head: string, merged: string) {
  try {
    await user.run({ args: ['read-tree', '--dry-run', '-m', '-u', head, merged], env });
  } catch (error) {
    throw asRefusal(error);
  }
}

async function makeCommit(
  user: Git,
  env: Objects,
  { head, merged, message }: { readonly head: string; readonly merged: string; readonly message: string },
): Promise<string> {
  const sign = await user.run({
    args: ['config', '--type=bool', '--get', 'commit.gpgsign'],
    answers: [1],
  });
  const signs = sign.stdout.trim() === 'true';
  try {
    const { stdout } = await user.run({
      args: ['commit-tree', merged, '-p', head, '-F', '-', ...(signs ? ['-S'] : [])],
      input: `${message.trimEnd()}\n`,
      limitMs: applyMs,
      env,
    });
    return stdout.trim();
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new CoiError('tree-failed', `the commit could not be made: ${error.message}`, {
      hint: signs
        ? 'Unlock your signing key, or use --apply and commit yourself.'
        : 'Set user.name and user.email with `git config`, or use --apply.',
      cause: error,
    });
  }
}

/** Brings the new objects into the user's repository, where nothing refers to them yet. */
async function transfer(
  user: Git,
  env: Objects,
  quarantine: string,
  { head, commit }: { readonly head: string; readonly commit: string },
): Promise<void> {
  const { stdout } = await user.run({
    args: ['pack-objects', '--revs', '--quiet', `${quarantine}/new`],
    input: `${commit}\n^${head}\n`,
    limitMs: applyMs,
    env,
  });
  const file = await open(`${quarantine}/new-${stdout.trim()}.pack`);
  try {
    await user.run({
      args: ['index-pack', '--stdin', '--strict'],
      input: file.fd,
      limitMs: applyMs,
    });
  } finally {
    await file.close();
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

function refused(why: string, hint?: string, cause?: unknown): CoiError {
  return new CoiError('merge-refused', `nothing was merged: ${why}`, { hint, cause });
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
