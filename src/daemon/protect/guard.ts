// The guard of one workspace: what its inodes were before, and what was made for it. Applying it twice changes nothing.
import type { Stats } from 'node:fs';
import { CoiError } from '../../errors.ts';
import type { Below } from '../../host/guarded.ts';
import type { Libc } from '../../host/libc.ts';
import { quoted } from '../../names.ts';
import {
  type GuardKind,
  type Leaf,
  type Placeholder,
  type ProtectionPlan,
  protectionPlan,
  protectionRefusal,
  type TreeFacts,
} from '../../session/protect.ts';
import type { ProtectRequest } from '../../session/protect-request.ts';
import { type Before, beforeGuard, guard, hasGuard, isGuarded, unguard } from './change.ts';
import { ancestorId, guardIds, leafId } from './ids.ts';

export interface GuardedEntry extends Before {
  readonly path: string;
  readonly inode: number;
}

export interface MadeEntry {
  readonly path: string;
  /** 0: it was about to be made. */
  readonly inode: number;
  readonly content: string;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface GuardState {
  readonly entries: readonly GuardedEntry[];
  readonly made: readonly MadeEntry[];
}

export const noGuard: GuardState = { entries: [], made: [] };

const entriesMax = 5000;
const depthMax = 12;

export function factsOf(below: Below): TreeFacts {
  return {
    kind: (path) => {
      const stats = below.stats(path);
      if (!stats) return 'missing';
      if (stats.isFile()) return 'file';
      if (stats.isDirectory()) return 'directory';
      return stats.isSymbolicLink() ? 'link' : 'other';
    },
    names: (path) => below.names(path),
    text: (path) => below.text(path),
  };
}

interface Wanted {
  readonly path: string;
  readonly stats: Stats;
  readonly id: number;
  readonly by: GuardKind;
  /** The mode that it has meanwhile. */
  readonly mode: number;
}

export interface Applied {
  readonly plan: ProtectionPlan;
  readonly state: GuardState;
  /** How many inodes were put under guard just now. */
  readonly changed: number;
  /** What was under guard and is the same inode, but its guard was taken away. */
  readonly stripped: readonly string[];
  /** Directories that were under guard, and others are in their place. */
  readonly replaced: readonly string[];
}

export interface Application {
  readonly libc: Pick<Libc, 'getxattr' | 'setxattr' | 'removexattr'>;
  readonly below: Below;
  readonly request: ProtectRequest;
  readonly owner: Owner;
  readonly before: GuardState;
  /** Called before anything is changed, with all that will be: whatever happens afterwards can be taken back. */
  readonly save: (state: GuardState) => void;
}

/** Guards what the request names. Throws `unprotected-path`. */
export function applyGuard({ libc, below, request, owner, before, save }: Application): Applied {
  const plan = protectionPlan(request, factsOf(below));
  const [refused] = plan.refused;
  if (refused && request.mode === 'guard') throw protectionRefusal(refused.path, refused.kind);
  let state = withPlaceholders(below, plan.placeholders, owner, before, save);
  const wanted = [
    ...plan.ancestors.flatMap(({ path, depth, by }) =>
      ancestorWanted(below, path, ancestorId(depth), by),
    ),
    ...plan.leaves.flatMap((leaf) => leafWanted(below, leaf)),
  ];
  if (wanted.length > entriesMax) throw tooMany(wanted.length);
  const due = wanted
    .filter(({ stats, by, id }) => !isGuarded(stats, by, id))
    .filter((one) => mayGuard(one, request.mode, owner));
  const known = new Map(before.entries.map((entry) => [entry.path, entry.inode]));
  if (due.length > 0 || state !== before) {
    const entries = due.flatMap((one) => entryOf(libc, below, one, owner));
    const anew = new Set(entries.map(({ path }) => path));
    state = {
      ...state,
      entries: [...state.entries.filter(({ path }) => !anew.has(path)), ...entries],
    };
    save(state);
    for (const entry of entries) {
      const one = due.find(({ path }) => path === entry.path);
      if (one) below.with(entry.path, (fd) => guard(libc, fd, one.id, entry, one.mode));
    }
  }
  return {
    plan,
    state,
    changed: due.length,
    stripped: due
      .filter(({ path, stats }) => known.get(path) === stats.ino)
      .map(({ path }) => path),
    replaced: plan.ancestors
      .map(({ path }) => path)
      .filter(
        (path) =>
          known.has(path) &&
          due.some((one) => one.path === path && one.stats.ino !== known.get(path)),
      ),
  };
}

/** Gives everything back what it was and takes away what was made. What cannot be found any more is left. */
export function removeGuard(
  libc: Application['libc'],
  below: Below,
  plan: Pick<ProtectionPlan, 'ancestors' | 'leaves'>,
  owner: Owner,
  state: GuardState,
): void {
  for (const entry of state.entries) {
    below.with(entry.path, (fd) => {
      const stats = below.stats(entry.path);
      if (stats?.ino === entry.inode && hasGuard(stats)) unguard(libc, fd, entry);
    });
  }
  // What the host moved about meanwhile still lies beside the places where it was guarded.
  const places = [
    '.',
    ...plan.ancestors.map(({ path }) => path),
    ...plan.leaves.map(({ path }) => path),
  ];
  for (const place of new Set(places)) sweep(libc, below, place, owner, state, 0);
  for (const made of state.made.toReversed()) removePlaceholder(below, made);
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

function removePlaceholder(below: Below, { path, inode, content }: MadeEntry): void {
  const stats = below.stats(path);
  if (!stats) return;
  const same = inode === 0 || stats.ino === inode;
  const untouched = stats.isDirectory() || below.text(path) === content;
  if (same && untouched) below.remove(path, stats.ino);
}

function ancestorWanted(below: Below, path: string, id: number, by: GuardKind): Wanted[] {
  const stats = below.stats(path);
  // Without the bit that hands the group down: what is made in it is not guarded.
  return stats
    ? [{ path, stats, id, by, mode: stats.mode & (by === 'group' ? 0o5777 : 0o7777) }]
    : [];
}

function leafWanted(below: Below, { path, kind, by }: Leaf): Wanted[] {
  const stats = below.stats(path);
  if (!stats || stats.isSymbolicLink()) return [];
  if (kind !== 'tree')
    return [{ path, stats, id: leafId, by, mode: stats.mode & (by === 'group' ? 0o5777 : 0o7777) }];
  return treeWanted(below, path, stats, by, 0);
}

function treeWanted(
  below: Below,
  path: string,
  stats: Stats,
  by: GuardKind,
  depth: number,
): Wanted[] {
  const found: Wanted[] = [{ path, stats, id: leafId, by, mode: stats.mode & 0o7777 }];
  if (!stats.isDirectory()) return found;
  if (depth > depthMax) throw tooMany(entriesMax);
  for (const name of below.names(path)) {
    const inner = below.stats(`${path}/${name}`);
    if (!inner || inner.isSymbolicLink()) continue;
    found.push(...treeWanted(below, `${path}/${name}`, inner, by, depth + 1));
    if (found.length > entriesMax) throw tooMany(found.length);
  }
  return found;
}

function entryOf(
  libc: Application['libc'],
  below: Below,
  { path, stats, by }: Wanted,
  owner: Owner,
): GuardedEntry[] {
  const before = below.with(path, (fd) => beforeGuard(libc, fd, by));
  if (!before || below.stats(path)?.ino !== stats.ino) return [];
  // A guard that was left behind by somebody says nothing about what was before it.
  const uid = guardIds.includes(before.uid) ? owner.uid : before.uid;
  const gid = guardIds.includes(before.gid) ? owner.gid : before.gid;
  const acl = guardIds.includes(before.uid) ? '' : before.acl;
  return [{ path, inode: stats.ino, ...before, uid, gid, acl }];
}

/** Others of the host may write there by their group, which they would lose for the time of the session. Throws `unprotected-path`. */
function mayGuard(
  { path, stats, by }: Wanted,
  mode: ProtectRequest['mode'],
  owner: Owner,
): boolean {
  const shared =
    by === 'group' &&
    (stats.mode & 0o020) !== 0 &&
    stats.gid !== owner.gid &&
    !guardIds.includes(stats.gid);
  if (!shared) return true;
  if (mode === 'watch') return false;
  throw new CoiError(
    'unprotected-path',
    `${quoted(path)} cannot be protected: its group may write to it, and would lose that while the session runs`,
    { hint: `Take that right away (chmod g-w), or set [security] protection = "watch".` },
  );
}

function sweep(
  libc: Application['libc'],
  below: Below,
  place: string,
  owner: Owner,
  state: GuardState,
  depth: number,
): void {
  if (depth > depthMax) return;
  for (const name of below.names(place)) {
    const path = place === '.' ? name : `${place}/${name}`;
    const stats = below.stats(path);
    if (!stats || stats.isSymbolicLink() || !hasGuard(stats)) continue;
    const known = state.entries.find(({ inode }) => inode === stats.ino);
    const by = guardIds.includes(stats.uid) ? 'owner' : 'group';
    const before = known ?? {
      by,
      uid: by === 'owner' ? owner.uid : stats.uid,
      gid: by === 'group' ? owner.gid : stats.gid,
      mode: stats.mode & 0o7777,
      acl: '',
    };
    below.with(path, (fd) => unguard(libc, fd, before));
    if (stats.isDirectory()) sweep(libc, below, path, owner, state, depth + 1);
  }
}

function tooMany(count: number): CoiError {
  return new CoiError(
    'unprotected-path',
    `the protected paths hold too many files (${count}; ${entriesMax} can be guarded)`,
    { hint: 'Protect less in [security], or set protection = "watch".' },
  );
}
