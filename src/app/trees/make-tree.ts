// Makes a working tree of its own for a session: the commits of its base, copied out of the user's repository, and the files.
// Nothing of the user's repository is changed, and nothing in the tree refers to it. A failure leaves nothing behind.
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { type Git, ownRepository } from '../../host/git/run-git.ts';
import type { Repository } from '../../trees/repository.ts';
import { type TreeRecord, treeRecordText } from '../../trees/tree-record.ts';
import type { AppContext } from '../context.ts';
import { type RepositoryPlaces, type TreePlaces, treePlaces } from './tree-places.ts';

/** The history of larger repositories is left out: only the base itself is copied. */
const historyMaxBytes = 500 * 2 ** 20;
const packLimitMs = 600_000;
const checkoutLimitMs = 600_000;

export interface TreeRequest {
  readonly repository: Repository;
  readonly places: RepositoryPlaces;
  readonly record: TreeRecord;
  readonly user: Git;
}

/** Steps: the base's commits · the tree's repository · its files · the record. The tree appears with the last one. */
export async function makeTree(app: AppContext, request: TreeRequest): Promise<TreePlaces> {
  const { places, record } = request;
  const made = treePlaces(places.directory, `.new-${randomBytes(6).toString('hex')}`);
  await mkdir(places.directory, { recursive: true, mode: 0o700 });
  try {
    await mkdir(made.tree, { recursive: true, mode: 0o755 });
    await keepBase(app, request);
    await layOut(app, request, made);
    await checkOut(app, made);
    await writeFile(made.record, treeRecordText(record), { mode: 0o600 });
    const final = treePlaces(places.directory, record.name);
    await rename(made.directory, final.directory);
    return final;
  } catch (error) {
    await rm(made.directory, { recursive: true, force: true });
    throw error;
  }
}

/** Copies the base's commits into coi's own repository, so that they stay whatever happens to the user's. */
async function keepBase(app: AppContext, { user, places, record }: TreeRequest): Promise<void> {
  const bases = ownRepository(places.bases, app);
  await initialise(bases, ['--bare']);
  const { signal } = app;
  const { stdout } = await user.run({ args: ['count-objects', '-v'], signal });
  const kib = Number(/^size-pack: (\d+)$/m.exec(stdout)?.[1] ?? 0);
  const isLong = kib * 1024 <= historyMaxBytes;
  await mkdir(`${places.bases}/objects/pack`, { recursive: true });
  const base = record.base;
  await user.run({
    args: [
      ...['pack-objects', '--revs', '--delta-base-offset', '--quiet'],
      ...(isLong ? [] : ['--shallow']),
      `${places.bases}/objects/pack/pack`,
    ],
    input: isLong ? `${base}\n` : `--shallow ${base}\n${base}\n`,
    limitMs: packLimitMs,
    signal,
  });
  await bases.run({ args: ['update-ref', `refs/coi/bases/${record.name}`, base], signal });
}
