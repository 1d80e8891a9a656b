// The guard of one workspace: which inodes had which group before, and what was made for it. Applying it twice changes nothing.
import type { Stats } from 'node:fs';
import { CoiError } from '../../errors.ts';
import { type Below, changeGroup } from '../../host/guarded.ts';
import { quoted } from '../../names.ts';
import {
  type Leaf,
  type Placeholder,
  type ProtectionPlan,
  type ProtectRequest,
  protectionPlan,
  protectionRefusal,
  type TreeFacts,
} from '../../session/protect.ts';
import { ancestorGroup, guardGroups, leafGroup } from './groups.ts';

export interface GuardedEntry {
  readonly path: string;
  readonly inode: number;
  /** As they were before. */
  readonly gid: number;
  readonly mode: number;
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

/** What would have to be changed now. */
interface Wanted {
  readonly path: string;
  readonly stats: Stats;
  readonly group: number;
  readonly mode: number;
}

export interface Applied {
  readonly plan: ProtectionPlan;
  readonly state: GuardState;
  /** How many inodes were given a guard just now. */
  readonly changed: number;
}

/**
 * Guards what the request names. `save` is called before anything is changed, with all that will be: whatever happens
 * afterwards can be taken back. Throws `unprotected-path`.
 */
export function applyGuard(
  below: Below,
  request: ProtectRequest,
  owner: Owner,
  before: GuardState,
  save: (state: GuardState) => void,
): Applied {
  const plan = protectionPlan(request, factsOf(below));
  const [refused] = plan.refused;
  if (refused && request.mode === 'guard') throw protectionRefusal(refused.path, refused.kind);
  let state = before;
  if (plan.placeholders.length > 0) {
    state = {
      ...state,
      made: [
        ...state.made,
        ...plan.placeholders.map(({ path, content }) => ({ path, inode: 0, content })),
      ],
    };
    save(state);
    for (const placeholder of plan.placeholders) makePlaceholder(below, placeholder, owner);
    state = {
      ...state,
      made: state.made.map((made) =>
        made.inode === 0 ? { ...made, inode: below.stats(made.path)?.ino ?? 0 } : made,
      ),
    };
  }
  const wanted = [
    ...ancestorsWanted(below, plan),
    ...plan.leaves.flatMap((leaf) => leafWanted(below, leaf)),
  ];
  if (wanted.length > entriesMax) throw tooMany(wanted.length);
  const due = wanted.filter(({ stats, group }) => stats.gid !== group);
  for (const one of due) refuseShared(one, owner);
  if (due.length > 0 || state !== before) {
    state = {
      ...state,
      entries: [...remembered(state.entries, due), ...due.map((one) => entryOf(one, owner))],
    };
    save(state);
    for (const { path, stats, group, mode } of due) {
      below.with(path, (fd) => {
        if (below.stats(path)?.ino === stats.ino) changeGroup(fd, group, mode);
      });
    }
  }
  return { plan, state, changed: due.length };
}

/** Gives everything its group back and takes away what was made. What cannot be found any more is left. */
export function removeGuard(
  below: Below,
  plan: Pick<ProtectionPlan, 'ancestors' | 'leaves'>,
  owner: Owner,
  state: GuardState,
): void {
  for (const { path, inode, gid, mode } of state.entries) {
    below.with(path, (fd) => {
      const stats = below.stats(path);
      if (stats?.ino === inode && guardGroups.includes(stats.gid)) changeGroup(fd, gid, mode);
    });
  }
  // What the host moved about meanwhile still lies beside the places where it was guarded.
  const places = [
    '.',
    ...plan.ancestors.map(({ path }) => path),
    ...plan.leaves.map(({ path }) => path),
  ];
  for (const place of new Set(places)) sweep(below, place, owner, 0);
  for (const { path, inode, content } of state.made.toReversed()) {
    const stats = below.stats(path);
    const known =
      inode === 0
        ? (stats?.isDirectory() ?? false) || below.text(path) === content
        : stats?.ino === inode;
    const unchanged = stats?.isFile() ? below.text(path) === content : true;
    if (stats && known && unchanged) below.remove(path, stats.ino);
  }
}

function ancestorsWanted(below: Below, plan: ProtectionPlan): Wanted[] {
  return plan.ancestors.flatMap(({ path, depth }) => {
    const stats = below.stats(path);
    // Without the bit that hands the group down: what is made in it is not guarded.
    return stats ? [{ path, stats, group: ancestorGroup(depth), mode: stats.mode & 0o5777 }] : [];
  });
}

function leafWanted(below: Below, { path, kind }: Leaf): Wanted[] {
  const stats = below.stats(path);
  if (!stats || stats.isSymbolicLink()) return [];
  if (kind !== 'tree' || !stats.isDirectory())
    return [{ path, stats, group: leafGroup, mode: stats.mode & 0o7777 }];
  return treeWanted(below, path, stats, 0);
}

function treeWanted(below: Below, path: string, stats: Stats, depth: number): Wanted[] {
  if (!stats.isDirectory()) return [{ path, stats, group: leafGroup, mode: stats.mode & 0o7777 }];
  if (depth > depthMax) throw tooMany(entriesMax);
  // With the bit that hands the group down: what the host adds is guarded from its first moment.
  const found: Wanted[] = [{ path, stats, group: leafGroup, mode: (stats.mode & 0o7777) | 0o2000 }];
  for (const name of below.names(path)) {
    const inner = below.stats(`${path}/${name}`);
    if (!inner || inner.isSymbolicLink()) continue;
    found.push(...treeWanted(below, `${path}/${name}`, inner, depth + 1));
    if (found.length > entriesMax) throw tooMany(found.length);
  }
  return found;
}

/** Entries that are known under the same path and inode stay as they are; what was replaced is forgotten. */
function remembered(entries: readonly GuardedEntry[], due: readonly Wanted[]): GuardedEntry[] {
  const anew = new Set(due.map(({ path }) => path));
  return entries.filter(({ path }) => !anew.has(path));
}

function entryOf({ path, stats }: Wanted, owner: Owner): GuardedEntry {
  // A guard that was left behind by somebody says nothing about the group before.
  const gid = guardGroups.includes(stats.gid) ? owner.gid : stats.gid;
  return { path, inode: stats.ino, gid, mode: stats.mode & 0o7777 };
}

/** Others of the host write there by their group, which they would lose for the time of the session. */
function refuseShared({ path, stats }: Wanted, owner: Owner): void {
  if (
    (stats.mode & 0o020) === 0 ||
    stats.gid === owner.gid ||
    guardGroups.includes(stats.gid) ||
    stats.uid !== owner.uid
  )
    return;
  throw new CoiError(
    'unprotected-path',
    `${quoted(path)} cannot be protected: its group may write to it, and would lose that while the session runs`,
    {
      hint: `Take that right away (chmod g-w), or set [security] protection = "watch".`,
    },
  );
}

function makePlaceholder(below: Below, { path, kind, content }: Placeholder, owner: Owner): void {
  try {
    below.make(path, { kind, content }, owner);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function sweep(below: Below, place: string, owner: Owner, depth: number): void {
  if (depth > depthMax) return;
  for (const name of below.names(place)) {
    const path = place === '.' ? name : `${place}/${name}`;
    const stats = below.stats(path);
    if (!stats || stats.isSymbolicLink() || !guardGroups.includes(stats.gid)) continue;
    below.with(path, (fd) => changeGroup(fd, owner.gid));
    if (stats.isDirectory()) sweep(below, path, owner, depth + 1);
  }
}

function tooMany(count: number): CoiError {
  return new CoiError(
    'unprotected-path',
    `the protected paths hold too many files (${count}; ${entriesMax} can be guarded)`,
    {
      hint: 'Protect less in [security], or set protection = "watch".',
    },
  );
}
