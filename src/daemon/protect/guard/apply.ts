// Applies the guard to a workspace. Idempotent.
import { fstatSync, type Stats } from 'node:fs';
import type { ProtectRequest } from '../../../coid-api/session-protocol.ts';
import { CoiError } from '../../../errors.ts';
import type { Beneath } from '../../../host/fs/beneath.ts';
import { unfinishedDirectories } from '../../../session/protect/git-directory.ts';
import type { TreeFacts } from '../../../session/protect/path-walk.ts';
import { protectionRefusal } from '../../../session/protect/protect.ts';
import { firstPossible } from '../../../session/protect/protection-plan.ts';
import type {
  Leaf,
  Placeholder,
  ProtectionPlan,
} from '../../../session/protect/protection-types.ts';
import { type TreeContext, treeFacts } from '../tree-facts.ts';
import { filterWhileRunning, type TreeFilter } from '../tree-filter.ts';
import { guardInode, isGuarded } from './guard-inode.ts';
import { leafId } from './ids.ts';
import { type GuardedEntry, type GuardState, isSameInode, type Owner } from './state.ts';
import { entryOf, type GuardTarget, guardTargets, mayGuard } from './targets.ts';

export interface AppliedGuard {
  readonly plan: ProtectionPlan;
  /** Directories with fully guarded content. */
  readonly directories: readonly string[];
  readonly state: GuardState;
  /** How many inodes this call put under guard. */
  readonly changed: number;
  /** Some files were skipped because they are new. */
  readonly young: boolean;
  /** Guarded inodes that lost their guard; this is only possible for guards by group. */
  readonly stripped: readonly string[];
  /** Guarded directories that were replaced by others. */
  readonly replaced: readonly string[];
}

/** Limits of the guard while sessions run. */
export interface RunningLimits {
  /** Directories that are mount points in the sessions; undefined if an older coid did not save them. */
  readonly mounted: readonly string[] | undefined;
  /** Protected paths that did not exist when the sessions started: what is created there stays unguarded. */
  readonly missing: readonly string[];
  /** Directories that are read-only as a whole. */
  readonly whole: readonly string[];
  /**
   * Files with new names that are younger than this (milliseconds since 1970) are skipped: their creator sets the mode
   * next, which the guard would refuse. Only the host can create files there.
   */
  readonly youngSinceMs: number;
}

export interface GuardApplication extends TreeContext {
  readonly request: ProtectRequest;
  readonly before: GuardState;
  /** Undefined if a session is about to start. */
  readonly running?: RunningLimits | undefined;
  /** What to ignore if a session is about to start. */
  readonly left?: TreeFilter | undefined;
  /** Called with the planned state before any change, so that every change can be undone. */
  readonly save: (state: GuardState) => void;
}

/** Guards the requested paths. Throws `unprotected-path`. */
export function applyGuard(application: GuardApplication): AppliedGuard {
  const { below, request, owner, before, running, save, left } = application;
  const known = new Map(before.entries.map((entry) => [entry.path, entry]));
  const hidden = running ? filterWhileRunning(running, before) : left;
  const { plan, wanted } = planGuard(request, treeFacts(application, hidden), below, (all) =>
    running ? guardableWhileRunning(all, running.mounted, known) : all,
  );
  const placed = addPlaceholders(below, plan.placeholders, owner, before, save);
  const unguarded = wanted
    .filter(({ stats, by, id }) => !isGuarded(stats, by, id))
    .filter((one) => mayGuard(one, request.mode, owner));
  const due = unguarded.filter(
    ({ path, stats }) => known.has(path) || !stats.isFile() || !isYoung(stats, running),
  );
  const state =
    due.length > 0 || placed !== before ? guardInodes(application, placed, due, known) : before;
  const isSame = ({ path, stats }: GuardTarget) => {
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
function planGuard(
  request: ProtectRequest,
  facts: TreeFacts,
  below: Beneath,
  partOf: (plan: ProtectionPlan) => ProtectionPlan,
): { readonly plan: ProtectionPlan; readonly wanted: readonly GuardTarget[] } {
  let found: { plan: ProtectionPlan; wanted: readonly GuardTarget[] } | undefined;
  const tried = (all: ProtectionPlan) => {
    const plan = partOf(all);
    const [refused] = plan.refused;
    if (refused && request.mode === 'guard') throw protectionRefusal(refused);
    return { plan, wanted: guardTargets(plan, below) };
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
 * The part of the plan that can be guarded while sessions run. An ancestor that the host added meanwhile is not a mount point
 * in the sessions, so it is sealed: nothing in it can be created, renamed or removed until they restart.
 */
function guardableWhileRunning(
  plan: ProtectionPlan,
  mounted: readonly string[] | undefined,
  known: ReadonlyMap<string, GuardedEntry>,
): ProtectionPlan {
  const gitSubdirectories = plan.git.flatMap((git) => [`${git}/worktrees/`, `${git}/modules/`]);
  // Only the host can create entries in a guarded directory.
  const isNew = (path: string) => !known.has(path) && !isResumed(path, known);
  const isLate = (path: string) =>
    gitSubdirectories.some((above) => path.startsWith(above)) && isNew(path);
  const others = mounted && plan.ancestors.filter(({ path }) => !mounted.includes(path));
  const sealed = (others ?? []).map(({ path, by }): Leaf => ({ path, by, kind: 'sealed' }));
  return {
    ...plan,
    ancestors: plan.ancestors.filter(({ path }) => mounted?.includes(path)),
    leaves: [...plan.leaves, ...sealed].filter(({ path }) => !isLate(path)),
  };
}

/** For example files of a rebase that the host started in a worktree without a session. */
function isResumed(path: string, known: ReadonlyMap<string, GuardedEntry>): boolean {
  const [, worktree = '', name = ''] = /^(.+)\/([^/]+)$/.exec(path) ?? [];
  return unfinishedDirectories.includes(name) && known.has(worktree);
}

/** The upper limit excludes files that a clock change would make young for hours. */
function isYoung({ birthtimeMs }: Stats, running: RunningLimits | undefined): boolean {
  const sinceMs = running?.youngSinceMs ?? Number.POSITIVE_INFINITY;
  return birthtimeMs > sinceMs && birthtimeMs < sinceMs + 10_000;
}

function guardInodes(
  { libc, below, owner, save }: GuardApplication,
  before: GuardState,
  due: readonly GuardTarget[],
  known: ReadonlyMap<string, GuardedEntry>,
): GuardState {
  const pairs = due.flatMap((one) =>
    entryOf(libc, below, one, { owner, previous: known.get(one.path) }).map(
      (entry) => [one, entry] as const,
    ),
  );
  const replacedPaths = new Set(pairs.map(([{ path }]) => path));
  const others = before.entries.filter(({ path }) => !replacedPaths.has(path));
  const state = { ...before, entries: [...others, ...pairs.map(([, entry]) => entry)] };
  save(state);
  const really = pairs.map(([{ id, modeMask, stats }, entry]) => {
    const seenMode = stats.mode & 0o7777;
    // If the inode was replaced meanwhile, the next check guards the new one.
    const found = below.with(entry.path, (fd) =>
      isSameInode(entry, fstatSync(fd))
        ? guardInode(libc, fd, { id, modeMask, seenMode }, entry)
        : undefined,
    );
    return found && found.mode !== entry.mode ? { ...entry, mode: found.mode } : entry;
  });
  return really.every((entry, index) => entry === pairs[index]?.[1])
    ? state
    : { ...state, entries: [...others, ...really] };
}

function addPlaceholders(
  below: Beneath,
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
