// Makes a working tree of its own for a session: the commits of its base, copied out of the user's repository, and the
// files. Nothing of the user's repository is changed, and nothing in the tree refers to it. It appears with the last step.
import { randomBytes } from 'node:crypto';
import { constants, copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { type Git, ownRepository } from '../../host/git/run-git.ts';
import type { Repository } from '../../trees/repository.ts';
import { type TreeRecord, treeRecordText } from '../../trees/tree-record.ts';
import type { AppContext } from '../context.ts';
import { initialiseRepositories, keepBase, type Tag } from './base-objects.ts';
import { type RepositoryPlaces, type TreePlaces, treePlaces } from './tree-places.ts';
import type { OwnTree } from './tree-store.ts';

const checkoutMs = 900_000;

export interface TreeRequest {
  readonly user: Git;
  readonly repository: Pick<Repository, 'isShallow'>;
  readonly places: RepositoryPlaces;
  readonly record: TreeRecord;
  /** URL of the user's remote `origin`. */
  readonly origin: string | undefined;
  /** A tree object of the captures that the files are changed to; HEAD is the base all the same. */
  readonly files?: string | undefined;
  /** Adds ignored files to the new tree, and returns their paths. */
  readonly carry: (tree: string) => Promise<readonly string[]>;
}

/** Hold the lock of the repository's trees. */
export async function makeTree(app: AppContext, request: TreeRequest): Promise<OwnTree> {
  const { places, record, user, repository } = request;
  const made = treePlaces(places.directory, `.new-${randomBytes(6).toString('hex')}`);
  try {
    await initialiseRepositories(app, places);
    const tags = await keepBase(app, {
      user,
      places,
      commit: record.base,
      name: record.name,
      isShallow: repository.isShallow,
    });
    await layOut(app, request, made, tags);
    await checkOut(app, request, made);
    const carried = await request.carry(made.tree);
    await ignore(made, carried);
    const complete = { ...record, carried };
    await writeFile(made.record, treeRecordText(complete), { mode: 0o600 });
    const final = treePlaces(places.directory, record.name);
    await rename(made.directory, final.directory);
    return { record: complete, places: final };
  } catch (error) {
    await rm(made.directory, { recursive: true, force: true });
    throw error;
  }
}

/** The tree's repository, with copies of the kept commits: as links the agent could damage them. */
async function layOut(
  app: AppContext,
  { places, record, origin }: TreeRequest,
  { tree }: TreePlaces,
  tags: readonly Tag[],
): Promise<void> {
  const { signal } = app;
  await mkdir(tree, { recursive: true, mode: 0o755 });
  const git = ownRepository(`${tree}/.git`, app);
  await git.run({
    args: ['init', '--quiet', '--template=', `--initial-branch=${record.branch}`],
    env: { GIT_WORK_TREE: tree },
    signal,
  });
  await mkdir(`${tree}/.git/objects/pack`, { recursive: true });
  await copyPacks(`${places.bases}/objects/pack`, `${tree}/.git/objects/pack`);
  if ((await readdir(places.bases)).includes('shallow'))
    await copyFile(`${places.bases}/shallow`, `${tree}/.git/shallow`);
  const refs = [
    { ref: `refs/heads/${record.branch}`, object: record.base },
    ...(record.from === undefined || areExclusive(record.from, record.branch)
      ? []
      : [{ ref: `refs/heads/${record.from}`, object: record.base }]),
    ...tags,
  ];
  await git.run({
    args: ['update-ref', '--stdin'],
    input: refs.map(({ ref, object }) => `create ${ref} ${object}\n`).join(''),
    signal,
  });
  if (origin !== undefined) {
    await git.run({ args: ['config', 'remote.origin.url', origin] });
    await git.run({
      args: ['config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*'],
    });
  }
}

async function checkOut(
  app: AppContext,
  { places, record, files }: TreeRequest,
  made: TreePlaces,
): Promise<void> {
  const { tree, index } = made;
  const { signal } = app;
  const limitMs = checkoutMs;
  // No agent has seen it yet.
  const git = ownRepository(`${tree}/.git`, app, tree);
  await git.run({ args: ['read-tree', '-m', '-u', 'HEAD'], limitMs, signal });
  await copyFile(`${tree}/.git/index`, index);
  if (files === undefined) return;
  const captures = ownRepository(places.captures, app, tree);
  await captures.run({
    args: ['read-tree', '-m', '-u', record.base, files],
    env: { GIT_INDEX_FILE: index },
    limitMs,
    signal,
  });
}

/** They may be ignored only by the user's own settings, which the tree does not have. */
async function ignore({ tree }: TreePlaces, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await mkdir(`${tree}/.git/info`, { recursive: true });
  const lines = paths.map((path) => `/${path.replace(/[\\*?[\]! #]/g, '\\$&')}\n`);
  await writeFile(`${tree}/.git/info/exclude`, lines.join(''));
}

async function copyPacks(from: string, to: string): Promise<void> {
  for (const name of await readdir(from))
    if (/^pack-.*\.(?:pack|idx|rev)$/.test(name))
      await copyFile(`${from}/${name}`, `${to}/${name}`, constants.COPYFILE_FICLONE);
}

/** git cannot have both branches: they are the same, or one is a directory of the other. */
function areExclusive(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
