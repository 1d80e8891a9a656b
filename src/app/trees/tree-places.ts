// Where own trees are: ~/.local/share/coi/trees/<repository>/, of which a session can mount only a tree itself.
import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';

export interface RepositoryPlaces {
  readonly directory: string;
  /** A bare repository with the bases of all trees, complete in itself. */
  readonly bases: string;
  /** A bare repository with the captures; it borrows objects of `bases`. */
  readonly captures: string;
  readonly lock: string;
}

export interface TreePlaces {
  readonly directory: string;
  /** The working tree with its `.git`, the workspace of sessions. */
  readonly tree: string;
  /** coi's own index of the tree, in which unchanged files need not be read again. */
  readonly index: string;
  readonly record: string;
  /** Exists once the `[workspace] setup` command was given to a session. */
  readonly setUp: string;
}

const hashDigits = 8;
const recordName = 'tree.json';

export function treesDirectory(home: string): string {
  return `${home}/.local/share/coi/trees`;
}

/** `common`: the git directory that all its worktrees share. */
export function repositoryPlaces(home: string, common: string): RepositoryPlaces {
  const hash = createHash('sha256').update(common).digest('hex').slice(0, hashDigits);
  const directory = /^\.[^.]*$/.test(basename(common)) ? dirname(common) : common;
  const name = basename(directory)
    .replace(/\.git$/, '')
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[.-]+/, '');
  return placesIn(`${treesDirectory(home)}/${name || 'repository'}-${hash}`);
}

function placesIn(directory: string): RepositoryPlaces {
  return {
    directory,
    bases: `${directory}/.bases.git`,
    captures: `${directory}/.captures.git`,
    lock: `${directory}/.lock`,
  };
}

/** Those of the repository that a tree belongs to. */
export function repositoryOfTree({ directory }: Pick<TreePlaces, 'directory'>): RepositoryPlaces {
  return placesIn(dirname(directory));
}

export function treePlaces(repository: string, name: string): TreePlaces {
  const directory = `${repository}/${name}`;
  return {
    directory,
    tree: `${directory}/tree`,
    index: `${directory}/index`,
    record: `${directory}/${recordName}`,
    setUp: `${directory}/set-up`,
  };
}

/** The tree that has this workspace; undefined for any other path. */
export function treeOfWorkspace(home: string, workspace: string): TreePlaces | undefined {
  const places = treeAround(home, workspace);
  return places?.tree === workspace ? places : undefined;
}

/** The tree that this path is in; undefined for any other path. */
export function treeAround(home: string, path: string): TreePlaces | undefined {
  const below = `${treesDirectory(home)}/`;
  if (!path.startsWith(below)) return undefined;
  const [repository, name, last] = path.slice(below.length).split('/');
  if (!repository || !name || last !== 'tree') return undefined;
  return treePlaces(`${below}${repository}`, name);
}
