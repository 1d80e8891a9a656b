// Puts a workspace under guard, or back under it. Applying it twice changes nothing.
import { fstatSync, type Stats } from 'node:fs';
import type { ProtectRequest } from '../../../coid-api/session-protocol.ts';
import { CoiError } from '../../../errors.ts';
import type { Below } from '../../../host/fs/beneath.ts';
import { resumed } from '../../../session/protect/git-directory.ts';
import type { TreeFacts } from '../../../session/protect/path-walk.ts';
import { protectionRefusal } from '../../../session/protect/protect.ts';
import { firstPossible } from '../../../session/protect/protection-plan.ts';
import type {
  Leaf,
  Placeholder,
  ProtectionPlan,
} from '../../../session/protect/protection-types.ts';
import { type Hidden, hiddenFrom } from '../hidden.ts';
import { factsOf, type Looked } from '../tree-facts.ts';
import { guard, isGuarded } from './change.ts';
import { leafId } from './ids.ts';
import { type GuardedEntry, type GuardState, isSameInode, type Owner } from './state.ts';
import { entryOf, mayGuard, type Wanted, wantedBy } from './wanted.ts';

export interface Applied {
  readonly plan: ProtectionPlan;
  /** Directories whose whole content is guarded. */
  readonly directories: readonly string[];
  readonly state: GuardState;
  /** How many inodes were put under guard just now. */
  readonly changed: number;
  /** Files were left alone, since they were made just now. */
  readonly young: boolean;
  /** What was under guard and is the same inode, but its guard was taken away: only by its group can it be. */
  readonly stripped: readonly string[];
  /** Directories that were under guard, and others are in their place. */
  readonly replaced: readonly string[];
}

/** What limits the guard while sessions run. */
export interface Running {
  /** Directories that have a mount of their own in them; undefined where an older coid did not write it down. */
  readonly mounted: readonly string[] | undefined;
  /** Protected paths that were not there when they began: nobody guards what is made there. */
  readonly missing: readonly string[];
  /** What they hold as a whole. */
  readonly whole: readonly string[];
  /**
   * Files of new names that were made after this (milliseconds since 1970) are left alone: whoever made one sets its mode
   * next, which under guard is refused. Only the host can make one there.
   */
  readonly youngSinceMs: number;
}

export interface Application extends Looked {
  readonly request: ProtectRequest;
  readonly before: GuardState;
  /** Undefined: a session is about to begin. */
  readonly running?: Running | undefined;
  /** What is known of it where a session is about to begin. */
  readonly left?: Hidden | undefined;
  /** Called before anything is changed, with all that will be: whatever happens afterwards can be taken back. */
  readonly save: (state: GuardState) => void;
}

/** Guards what the request names. Throws `unprotected-path`. */
export function applyGuard(application: Application): Applied {
  const { below, request, owner, before, running, save, left } = application;
  const known = new Map(before.entries.map((entry) => [entry.path, entry]));
  const hidden = running ? hiddenFrom(running, before) : left;
  const { plan, wanted } = planned(request, factsOf(application, hidden), below, (all) =>
    running ? reachable(all, running.mounted, known) : all,
  );
  const placed = withPlaceholders(below, plan.placeholders, owner, before, save);
  const unguarded = wanted
    .filter(({ stats, by, id }) => !isGuarded(stats, by, id))
    .filter((one) => mayGuard(one, request.mode, owner));
  const due = unguarded.filter(
    ({ path, stats }) => known.has(path) || !stats.isFile() || !isYoung(stats, running),
  );
  const state =
    due.length > 0 || placed !== before ? putUnderGuard(application, placed, due, known) : before;
  const isSame = ({ path, stats }: Wanted) => {
    const entry = known.get(path);
    return entry && isSameInode(entry, stats);
  };
  const ancestors = new Set(plan.ancestors.map(({ path }) => path));
  return {
    plan,
    directories: wanted
      .filter(({ id, stats }) => id === leafId && stats.isDirectory())
      .map(({ path }) => path),
    state,
    changed: due.length,
    young: due.length < unguarded.length,
    stripped: due.filter((one) => one.by === 'group' && isSame(one)).map(({ path }) => path),
    replaced: due
      .filter((one) => ancestors.has(one.path) && isSame(one) === false)
      .map(({ path }) => path),
  };
}

/** Throws `unprotected-path`. */
function planned(
  request: ProtectRequest,
  facts: TreeFacts,
  below: Below,
  partOf: (plan: ProtectionPlan) => ProtectionPlan,
): { readonly plan: ProtectionPlan; readonly wanted: readonly Wanted[] } {
  let found: { plan: ProtectionPlan; wanted: readonly Wanted[] } | undefined;
  const tried = (all: ProtectionPlan) => {
    const plan = partOf(all);
    const [refused] = plan.refused;
    if (refused && request.mode === 'guard') throw protectionRefusal(refused);
    return { plan, wanted: wantedBy(plan, below) };
  };
  const first = firstPossible(request, facts, (all) => {
    try {
      found = tried(all);
      return true;
    } catch (error) {
      if (error instanceof CoiError) return false;
      throw error;
    }
  });
  return first.isPossible && found ? found : tried(first.plan);
}

/**
 * What can be guarded while sessions run. A directory on the way to what is guarded, which the host led there meanwhile,
 * has no mount of its own in them: nothing can be made, renamed or removed in it until they start again.
 */
function reachable(
  plan: ProtectionPlan,
  mounted: readonly string[] | undefined,
  known: ReadonlyMap<string, GuardedEntry>,
): ProtectionPlan {
  const late = plan.git.flatMap((git) => [`${git}/worktrees/`, `${git}/modules/`]);
  // What is made in a directory that is guarded itself is the host's.
  const isNew = (path: string) => !known.has(path) && !isResumed(path, known);
  const isLate = (path: string) => late.some((above) => path.startsWith(above)) && isNew(path);
  const others = mounted && plan.ancestors.filter(({ path }) => !mounted.includes(path));
  const sealed = (others ?? []).map(({ path, by }): Leaf => ({ path, by, kind: 'sealed' }));
  return {
    ...plan,
    ancestors: plan.ancestors.filter(({ path }) => mounted?.includes(path)),
    leaves: [...plan.leaves, ...sealed].filter(({ path }) => !isLate(path)),
  };
}

/** Of a rebase, for example, that the host began in a worktree where no session works. */
function isResumed(path: string, known: ReadonlyMap<string, GuardedEntry>): boolean {
  const [, worktree = '', name = ''] = /^(.+)\/([^/]+)$/.exec(path) ?? [];
  return resumed.includes(name) && known.has(worktree);
}

/** Not what the clock, set back, makes young for hours. */
function isYoung({ birthtimeMs }: Stats, running: Running | undefined): boolean {
  const sinceMs = running?.youngSinceMs ?? Number.POSITIVE_INFINITY;
  return birthtimeMs > sinceMs && birthtimeMs < sinceMs + 10_000;
}

function putUnderGuard(
  { libc, below, owner, save }: Application,
  before: GuardState,
  due: readonly Wanted[],
  known: ReadonlyMap<string, GuardedEntry>,
): GuardState {
  const pairs = due.flatMap((one) =>
    entryOf(libc, below, one, { owner, previous: known.get(one.path) }).map(
      (entry) => [one, entry] as const,
    ),
  );
  const anew = new Set(pairs.map(([{ path }]) => path));
  const others = before.entries.filter(({ path }) => !anew.has(path));
  const state = { ...before, entries: [...others, ...pairs.map(([, entry]) => entry)] };
  save(state);
  const really = pairs.map(([{ id, modeMask, stats }, entry]) => {
    const seenMode = stats.mode & 0o7777;
    // Another that came in between is guarded at the next look, as itself.
    const found = below.with(entry.path, (fd) =>
      isSameInode(entry, fstatSync(fd))
        ? guard(libc, fd, { id, modeMask, seenMode }, entry)
        : undefined,
    );
    return found && found.mode !== entry.mode ? { ...entry, mode: found.mode } : entry;
  });
  return really.every((entry, index) => entry === pairs[index]?.[1])
    ? state
    : { ...state, entries: [...others, ...really] };
}

function withPlaceholders(
  below: Below,
  placeholders: readonly Placeholder[],
  owner: Owner,
  before: GuardState,
  save: (state: GuardState) => void,
): GuardState {
  if (placeholders.length === 0) return before;
  const about = placeholders.map(({ path, content }) => ({ path, inode: 0, content }));
  const intended = { ...before, made: [...before.made, ...about] };
  save(intended);
  for (const { path, kind, content } of placeholders) {
    try {
      below.make(path, { kind, content }, owner);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  const inode = (path: string) => below.stats(path)?.ino ?? 0;
  return {
    ...intended,
    made: intended.made.map((made) =>
      made.inode === 0 ? { ...made, inode: inode(made.path) } : made,
    ),
  };
}
