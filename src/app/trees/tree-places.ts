// Where own trees are: ~/.local/share/coi/trees/<repository>/, which no session can mount except a tree itself.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';

export interface RepositoryPlaces {
  readonly directory: string;
  /** A bare repository with the bases of all trees, complete in itself. */
  readonly bases: string;
  /** A bare repository with the captures; it borrows objects of `bases`. */
  readonly captures: string;
}

export interface TreePlaces {
  readonly directory: string;
  /** The working tree with its `.git`, the workspace of sessions. */
  readonly tree: string;
  /** coi's own index of the tree, in which unchanged files need not be read again. */
  readonly index: string;
  readonly record: string;
}

const hashDigits = 8;

export function treesDirectory(home: string, env: Readonly<Record<string, string | undefined>>) {
  const data = env['XDG_DATA_HOME'];
  return `${data?.startsWith('/') ? data : `${home}/.local/share`}/coi/trees`;
}

/** `common`: the git directory that all its worktrees share. */
export function repositoryPlaces(trees: string, top: string, common: string): RepositoryPlaces {
  const hash = createHash('sha256').update(common).digest('hex').slice(0, hashDigits);
  const directory = `${trees}/${basename(top).replace(/[^A-Za-z0-9._-]/g, '-')}-${hash}`;
  return {
    directory,
    bases: `${directory}/bases.git`,
    captures: `${directory}/captures.git`,
  };
}

export function treePlaces(repository: string, name: string): TreePlaces {
  const directory = `${repository}/${name}`;
  return {
    directory,
    tree: `${directory}/tree`,
    index: `${directory}/index`,
    record: `${directory}/tree.json`,
  };
}
