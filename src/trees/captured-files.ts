// Which files of a tree a capture takes. Pure.

/** Larger new or changed files are left out of a capture. */
export const captureMaxBytes = 50 * 2 ** 20;

/** What a path is on disk; `missing` also if a directory is a file now. */
export type PathState =
  | { readonly kind: 'file'; readonly bytes: number; readonly isReadable: boolean }
  | { readonly kind: 'link' | 'directory' | 'missing' | 'special' | 'unknown' };

/** A path that a capture does not hold. */
export interface LeftBehind {
  readonly path: string;
  readonly why: string;
}

export interface CapturePlan {
  readonly add: readonly string[];
  readonly remove: readonly string[];
  readonly leftBehind: readonly LeftBehind[];
}

/**
 * `paths`: modified, deleted and untracked files, as `git ls-files -m -o` lists them; untracked repositories end with a
 * slash. A path can be listed twice.
 */
export function planCapture(
  paths: readonly string[],
  stateOf: (path: string) => PathState,
  /** Never taken. */
  carried: ReadonlySet<string> = new Set(),
): CapturePlan {
  const add: string[] = [];
  const remove: string[] = [];
  const leftBehind: LeftBehind[] = [];
  for (const path of new Set(paths)) {
    if (carried.has(path)) continue;
    if (path.endsWith('/')) {
      leftBehind.push({ path, why: 'it is a repository of its own' });
      continue;
    }
    const state = stateOf(path);
    if (isGone(state)) remove.push(path);
    const why = whyNot(state);
    if (why !== undefined) leftBehind.push({ path, why });
    else if (state.kind === 'file' || state.kind === 'link') add.push(path);
  }
  return { add, remove, leftBehind };
}

/** What was tracked under that name is not there any more. */
function isGone({ kind }: PathState): boolean {
  return kind === 'missing' || kind === 'directory' || kind === 'special';
}

function whyNot(state: PathState): string | undefined {
  if (state.kind === 'special') return 'it is no regular file';
  if (state.kind === 'unknown') return 'it cannot be read';
  if (state.kind !== 'file') return undefined;
  if (!state.isReadable) return 'it cannot be read';
  return state.bytes > captureMaxBytes
    ? `it is larger than ${captureMaxBytes / 2 ** 20} MiB`
    : undefined;
}
