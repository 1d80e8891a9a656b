// What a repository is, and whether a session can have its own tree of it. Pure.
import { CoiError, type ErrorDetails } from '../errors.ts';

export interface Repository {
  /** Top directory of the user's working tree. */
  readonly top: string;
  /** Absolute; differs from `common` in a linked worktree. */
  readonly gitDirectory: string;
  readonly common: string;
  readonly isShallow: boolean;
  readonly objectFormat: string;
  /** The commit of HEAD; undefined before the first commit. */
  readonly head: string | undefined;
  /** The current branch; undefined if HEAD is detached. */
  readonly branch: string | undefined;
}

/** For `git rev-parse`; its output is read by `parseRepository`. */
export const repositoryQuestions = [
  'rev-parse',
  '--path-format=absolute',
  '--show-toplevel',
  '--git-dir',
  '--git-common-dir',
  '--is-shallow-repository',
  '--show-object-format',
];

/** Undefined if git printed something else, as for a path with a newline. */
export function parseRepository(
  output: string,
  { head, branch }: Pick<Repository, 'head' | 'branch'>,
): Repository | undefined {
  const lines = output.split('\n');
  if (lines.length !== 6 || lines[5] !== '') return undefined;
  const [top = '', gitDirectory = '', common = '', shallow, objectFormat = ''] = lines;
  return { top, gitDirectory, common, isShallow: shallow === 'true', objectFormat, head, branch };
}

/** What of a repository a tree of its own cannot have yet. */
export interface Obstacles {
  readonly objectFormat: string;
  /** Values of `extensions.partialClone` and `remote.*.promisor`. */
  readonly isPartial: boolean;
  readonly isSparse: boolean;
  /** Paths of submodules in the commit. */
  readonly submodules: readonly string[];
  /** Files of attributes that name a filter or an encoding, and what they name. */
  readonly filters: readonly string[];
}

/** Throws `tree-unsupported` with the reason. */
export function assertSupported({
  objectFormat,
  isPartial,
  isSparse,
  submodules,
  filters,
}: Obstacles): void {
  if (objectFormat !== 'sha1') throw unsupported(`its object format is ${objectFormat}`);
  if (isPartial)
    throw unsupported('it is a partial clone, so some files are only on the server', {
      hint: 'Fetch them with `git fetch --refetch --no-filter`, or use --shared-tree.',
    });
  if (isSparse) throw unsupported('it has a sparse checkout');
  const [submodule] = submodules;
  if (submodule !== undefined) throw unsupported(`it has submodules (${submodule})`);
  const [filter] = filters;
  if (filter !== undefined)
    throw unsupported(
      filter === 'lfs' ? 'it keeps files in Git LFS' : `it uses the filter or encoding ${filter}`,
    );
}

export function unsupported(why: string, options: ErrorDetails = {}): CoiError {
  return new CoiError('tree-unsupported', `this repository cannot have a tree of its own: ${why}`, {
    hint: 'Use --shared-tree to work in the directory itself.',
    ...options,
  });
}

/** `output`: of `git ls-tree -r -z --full-tree`. */
export function submodulesOf(output: string): readonly string[] {
  return output
    .split('\0')
    .flatMap((entry) =>
      entry.startsWith('160000 ') ? [entry.slice(entry.indexOf('\t') + 1)] : [],
    );
}

/** Names of filters and encodings in the text of attributes files. Source: gitattributes(5). */
export function filtersIn(text: string): readonly string[] {
  const found = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .flatMap((line) => [...line.matchAll(/\s(?:filter|working-tree-encoding)=(\S+)/g)])
    .map(([, name = '']) => name);
  return [...new Set(found)];
}
