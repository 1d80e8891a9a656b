// The objects of a merge, computed beside the user's repository, and their way into it.
import { open } from 'node:fs/promises';
import { CoiError } from '../../errors.ts';
import { type Git, GitError } from '../../host/git/run-git.ts';
import { foreignPaths, parseMergeTree } from '../../trees/merge-check.ts';
import { filtersIn } from '../../trees/repository.ts';
import { nobody } from './nobody.ts';
import { changesBetween } from './tree-changes.ts';

/** A large pack, or a signing key that asks for its passphrase. */
const limitMs = 900_000;

/** Variables that make git write objects to the quarantine, and read those of the captures. */
export type Objects = Readonly<Record<string, string>>;

/** The merged tree: three-way over the trees of `from`, the user's HEAD and the capture, whatever their history says. */
export async function computeMerge(
  user: Git,
  env: Objects,
  {
    head,
    from,
    capture,
  }: { readonly head: string; readonly from: string; readonly capture: string },
): Promise<string> {
  const bare = async (commit: string, parents: readonly string[]) => {
    const { stdout } = await user.run({
      args: [
        'commit-tree',
        `${commit}^{tree}`,
        ...parents.flatMap((one) => ['-p', one]),
        '-m',
        'coi',
      ],
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

/** A filter of the user would run on what the agent wrote. */
export async function refuseNewFilters(user: Git, env: Objects, head: string, merged: string) {
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

export async function makeCommit(
  user: Git,
  env: Objects,
  {
    head,
    merged,
    message,
  }: { readonly head: string; readonly merged: string; readonly message: string },
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
      limitMs,
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
export async function transfer(
  user: Git,
  env: Objects,
  quarantine: string,
  { head, commit }: { readonly head: string; readonly commit: string },
): Promise<void> {
  const { stdout } = await user.run({
    args: ['pack-objects', '--revs', '--quiet', `${quarantine}/new`],
    input: `${commit}\n^${head}\n`,
    limitMs,
    env,
  });
  const file = await open(`${quarantine}/new-${stdout.trim()}.pack`);
  try {
    await user.run({
      args: ['index-pack', '--stdin', '--strict'],
      input: file.fd,
      limitMs,
    });
  } finally {
    await file.close();
  }
}

export function refused(why: string, hint?: string, cause?: unknown): CoiError {
  return new CoiError('merge-refused', `nothing was merged: ${why}`, { hint, cause });
}
