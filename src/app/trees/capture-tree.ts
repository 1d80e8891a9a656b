// Captures the files of a tree as a commit in coi's own repository. git reads the tree as files only: its git directory,
// which the agent can write, plays no part. The session is paused meanwhile, so that no directory can become a link.
import { accessSync, constants, lstatSync, rmSync, type Stats } from 'node:fs';
import { CoiError } from '../../errors.ts';
import { type Git, GitError, ownRepository } from '../../host/git/run-git.ts';
import {
  type CapturePlan,
  type LeftBehind,
  type PathState,
  planCapture,
} from '../../trees/captured-files.ts';
import type { AppContext } from '../context.ts';
import { nobody } from './nobody.ts';
import { whilePaused } from './pause-tree.ts';
import { repositoryOfTree } from './tree-places.ts';
import type { OwnTree } from './tree-store.ts';

/** For each git command while the session is paused. */
const listMs = 10_000;
const hashMs = 60_000;

export interface Capture {
  /** Object id in the captures; its parent is the base. */
  readonly commit: string;
  readonly leftBehind: readonly LeftBehind[];
}

/** Hold the lock of the repository's trees. Throws `tree-failed`, and what pausing a session throws. */
export async function captureTree(app: AppContext, tree: OwnTree): Promise<Capture> {
  const { places, record } = tree;
  const captures = ownRepository(repositoryOfTree(places).captures, app, places.tree);
  // A lock of a coi that was killed: nobody else uses this index.
  rmSync(`${places.index}.lock`, { force: true });
  const index = { GIT_INDEX_FILE: places.index };
  try {
    let paused = await whilePaused(app, places.tree, () => updateIndex(captures, tree, index));
    while (paused.isDisturbed)
      paused = await whilePaused(app, places.tree, () => updateIndex(captures, tree, index));
    const { leftBehind } = paused.result;
    const written = (await captures.run({ args: ['write-tree'], env: index })).stdout.trim();
    const last = record.capture;
    if (last !== undefined && (await treeIdOf(captures, last)) === written)
      return { commit: last, leftBehind };
    const { stdout } = await captures.run({
      args: ['commit-tree', written, '-p', record.base, '-m', `capture of ${record.name}`],
      env: nobody,
    });
    const commit = stdout.trim();
    await captures.run({
      args: ['update-ref', `refs/coi/${record.name}/${commit}`, commit],
    });
    return { commit, leftBehind };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw new CoiError('tree-failed', `reading the tree ${record.name} failed: ${error.message}`, {
      hint: `Check that .gitignore and .gitattributes below ${places.tree} are ordinary files.`,
      cause: error,
    });
  }
}

export async function treeIdOf(git: Git, commit: string): Promise<string> {
  return (await git.run({ args: ['rev-parse', '--verify', `${commit}^{tree}`] })).stdout.trim();
}

/** Paths are handled as bytes: they need not be UTF-8. */
async function updateIndex(
  git: Git,
  { places, record }: OwnTree,
  env: Readonly<Record<string, string>>,
): Promise<CapturePlan> {
  const encoding = 'latin1';
  const listed = await git.run({
    args: ['ls-files', '-z', '--modified', '--others', '--exclude-standard'],
    limitMs: listMs,
    encoding,
    env,
  });
  const top = Buffer.from(`${places.tree}/`);
  const plan = planCapture(
    listed.stdout.split('\0').slice(0, -1),
    (path) => stateOf(Buffer.concat([top, Buffer.from(path, encoding)])),
    new Set(record.carried.map((path) => Buffer.from(path).toString(encoding))),
  );
  const change = (options: readonly string[], paths: readonly string[]) =>
    git.run({
      args: ['update-index', ...options, '-z', '--stdin'],
      input: paths.map((path) => `${path}\0`).join(''),
      limitMs: hashMs,
      encoding,
      env,
    });
  if (plan.remove.length > 0) await change(['--force-remove'], plan.remove);
  if (plan.add.length > 0) await change(['--add', '--replace'], plan.add);
  const leftBehind = plan.leftBehind.map(({ path, why }) => ({
    path: Buffer.from(path, encoding).toString(),
    why,
  }));
  return { ...plan, leftBehind };
}

function stateOf(path: Buffer): PathState {
  let stat: Stats;
  try {
    stat = lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { kind: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unknown' };
  }
  if (stat.isSymbolicLink()) return { kind: 'link' };
  if (stat.isDirectory()) return { kind: 'directory' };
  if (!stat.isFile()) return { kind: 'special' };
  return { kind: 'file', bytes: stat.size, isReadable: isReadable(path) };
}

function isReadable(path: Buffer): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
