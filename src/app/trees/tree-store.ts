// The records of own trees on disk.
import { readdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { CoiError } from '../../errors.ts';
import { whileLocked } from '../../host/process/held-lock.ts';
import { parseTreeRecord, type TreeRecord, treeRecordText } from '../../trees/tree-record.ts';
import type { AppContext } from '../context.ts';
import {
  type RepositoryPlaces,
  type TreePlaces,
  treeAround,
  treeOfWorkspace,
  treePlaces,
  treesDirectory,
} from './tree-places.ts';

export interface OwnTree {
  readonly record: TreeRecord;
  readonly places: TreePlaces;
}

const lockMs = 120_000;

/** Undefined if there is none, or it is of a newer version. */
export function readTree(places: TreePlaces): OwnTree | undefined {
  let text: string;
  try {
    text = readFileSync(places.record, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  const record = parseTreeRecord(text);
  return record && { record, places };
}

/** The tree that has this workspace; undefined for any other path. */
export function readTreeOf(home: string, workspace: string): OwnTree | undefined {
  const places = treeOfWorkspace(home, workspace);
  return places && readTree(places);
}

/** The tree that this path is in; undefined for any other path. */
export function readTreeAround(home: string, path: string): OwnTree | undefined {
  const places = treeAround(home, path);
  return places && readTree(places);
}

/** By name. */
export function treesIn({ directory }: Pick<RepositoryPlaces, 'directory'>): readonly OwnTree[] {
  return entriesOf(directory).flatMap((name) => readTree(treePlaces(directory, name)) ?? []);
}

/** Those of all repositories. */
export function allTrees(home: string): readonly OwnTree[] {
  const all = treesDirectory(home);
  return entriesOf(all).flatMap((name) => treesIn({ directory: `${all}/${name}` }));
}

export async function writeTree({ record, places }: OwnTree): Promise<void> {
  const temporary = `${places.record}.new`;
  await writeFile(temporary, treeRecordText(record), { mode: 0o600 });
  await rename(temporary, places.record);
}

/** Runs `work` while no other coi changes trees of that repository. Throws `timeout`. */
export async function whileTreesLocked<T>(
  app: Pick<AppContext, 'signal'>,
  { lock, directory }: RepositoryPlaces,
  work: () => Promise<T>,
): Promise<T> {
  const { loadLibc } = await import('../../host/linux/load-libc.ts');
  const busy = new AbortController();
  const timer = setTimeout(() => {
    busy.abort(
      new CoiError('timeout', 'another coi is working on the trees of this repository', {
        hint: `Try again later, or end the process that holds ${lock}.`,
      }),
    );
  }, lockMs);
  let begun = false;
  try {
    const limit = AbortSignal.any([app.signal, busy.signal]);
    return await whileLocked(await loadLibc(), lock, limit, async () => {
      begun = true;
      clearTimeout(timer);
      await removeLeftovers(directory);
      return work();
    });
  } finally {
    if (!begun) clearTimeout(timer);
  }
}

/** What a coi left that was killed; nobody else works here now. */
async function removeLeftovers(directory: string): Promise<void> {
  const names = readdirSync(directory).filter((name) => /^\.(?:new|old|merge)-/.test(name));
  if (names.length === 0) return;
  const { removeTreeAt } = await import('../../host/fs/remove-tree.ts');
  for (const name of names) await removeTreeAt(`${directory}/${name}`);
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
      .filter((name) => !name.startsWith('.'))
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
