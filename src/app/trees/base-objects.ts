// Copies commits with their history from the user's repository into one of coi's own, so that trees and captures stay
// whole whatever happens to the user's. The user's repository is only read.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type Git, ownRepository } from '../../host/git/run-git.ts';
import type { AppContext } from '../context.ts';
import type { RepositoryPlaces } from './tree-places.ts';

/** The history of larger repositories is left out: only the commit itself is copied. */
const historyMaxBytes = 500 * 2 ** 20;
const packMs = 900_000;

/** A tag in the history of a commit. */
export interface Tag {
  readonly object: string;
  readonly ref: string;
}

export interface BaseRequest {
  readonly user: Git;
  readonly places: RepositoryPlaces;
  /** Object id. */
  readonly commit: string;
  /** Name of the tree, by which the commit is kept. */
  readonly name: string;
  readonly isShallow: boolean;
}

/** Creates coi's repositories if they are missing. */
export async function initialiseRepositories(
  app: AppContext,
  { bases, captures }: RepositoryPlaces,
): Promise<void> {
  const { signal } = app;
  await mkdir(`${bases}/objects/pack`, { recursive: true, mode: 0o700 });
  await Promise.all(
    [bases, captures].map((directory) =>
      ownRepository(directory, app).run({
        args: ['init', '--quiet', '--bare', '--template=', directory],
        signal,
      }),
    ),
  );
  await mkdir(`${captures}/objects/info`, { recursive: true });
  await writeFile(`${captures}/objects/info/alternates`, `${bases}/objects\n`);
}

/** Returns the tags that were copied with the commit. */
export async function keepBase(app: AppContext, request: BaseRequest): Promise<readonly Tag[]> {
  const { user, places, commit, name } = request;
  const { signal } = app;
  const bases = ownRepository(places.bases, app);
  const isLarge = await hasLargeHistory(user);
  const tags = isLarge ? [] : await tagsOf(user, commit);
  const wanted = [commit, ...tags.map(({ object }) => object)];
  const missing = await missingIn(bases, wanted);
  if (missing.length > 0) {
    const shallow = await shallowCommits(user, isLarge ? commit : undefined, request.isShallow);
    await addShallow(places.bases, shallow);
    const have = await haveIn(bases, user);
    await user.run({
      args: [
        ...['pack-objects', '--revs', '--delta-base-offset', '--quiet'],
        ...(isLarge ? ['--shallow'] : []),
        `${places.bases}/objects/pack/pack`,
      ],
      input: [
        ...(isLarge ? [`--shallow ${commit}`] : []),
        ...missing,
        ...(isLarge ? [] : have.map((object) => `^${object}`)),
        '',
      ].join('\n'),
      limitMs: packMs,
      signal,
    });
  }
  await bases.run({
    args: ['update-ref', '--stdin'],
    input: [
      `update refs/coi/bases/${name} ${commit}`,
      ...tags.map(({ object, ref }) => `update ${ref} ${object}`),
      '',
    ].join('\n'),
    signal,
  });
  return tags;
}

async function hasLargeHistory(user: Git): Promise<boolean> {
  const { stdout } = await user.run({ args: ['count-objects', '-v'] });
  const kib = Number(/^size-pack: (\d+)$/m.exec(stdout)?.[1] ?? 0);
  return kib * 1024 > historyMaxBytes;
}

async function tagsOf(user: Git, commit: string): Promise<readonly Tag[]> {
  const { stdout } = await user.run({
    args: ['for-each-ref', `--merged=${commit}`, '--format=%(objectname) %(refname)', 'refs/tags'],
  });
  return stdout
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [line.split(' ')]))
    .map(([object = '', ref = '']) => ({ object, ref }));
}

async function missingIn(git: Git, objects: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await git.run({
    args: ['cat-file', '--batch-check=%(objectname)'],
    input: `${objects.join('\n')}\n`,
  });
  return stdout.split('\n').flatMap((line) => {
    const [object = '', missing] = line.split(' ');
    return missing === 'missing' ? [object] : [];
  });
}

/** Kept commits that the user's repository still has. */
async function haveIn(bases: Git, user: Git): Promise<readonly string[]> {
  const { stdout } = await bases.run({
    args: ['for-each-ref', '--format=%(objectname)', 'refs/coi/bases'],
  });
  const kept = [...new Set(stdout.split('\n').filter((line) => line !== ''))];
  if (kept.length === 0) return [];
  const gone = new Set(await missingIn(user, kept));
  return kept.filter((object) => !gone.has(object));
}

/** Commits without parents, though they have some. */
async function shallowCommits(
  user: Git,
  cutAt: string | undefined,
  isShallow: boolean,
): Promise<readonly string[]> {
  const cut = cutAt === undefined ? [] : [cutAt];
  if (!isShallow) return cut;
  const { stdout } = await user.run({
    args: ['rev-parse', '--path-format=absolute', '--git-path', 'shallow'],
  });
  return [...cut, ...(await linesOf(stdout.trimEnd()))];
}

async function addShallow(bases: string, commits: readonly string[]): Promise<void> {
  if (commits.length === 0) return;
  const all = new Set([...(await linesOf(`${bases}/shallow`)), ...commits]);
  await writeFile(`${bases}/shallow`, `${[...all].join('\n')}\n`);
}

async function linesOf(path: string): Promise<readonly string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
