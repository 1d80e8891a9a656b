// Which inodes of a workspace are to be under guard, and what they were before.
import type { Stats } from 'node:fs';
import type { ProtectRequest } from '../../../coid-api/session-protocol.ts';
import { CoiError } from '../../../errors.ts';
import type { Below } from '../../../host/fs/beneath.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import { quoted } from '../../../names.ts';
import type { GuardKind, Leaf, ProtectionPlan } from '../../../session/protect/protection-types.ts';
import { beforeGuard, inherited } from './change.ts';
import { ancestorId, guardIds, leafId } from './ids.ts';
import { type GuardedEntry, isSameInode, type Owner } from './state.ts';

export interface Wanted {
  readonly path: string;
  readonly stats: Stats;
  readonly id: number;
  readonly by: GuardKind;
  /** What of its mode stays meanwhile. */
  readonly modeMask: number;
}

/**
 * More, or deeper, is refused. What is planned is far less (session/protect/guard-builder.ts): this holds for what is made between the
 * look and the guard.
 */
export const entriesMax = 10_000;
export const depthMax = 12;

/** Throws `unprotected-path`. */
export function wantedBy({ ancestors, leaves, named }: ProtectionPlan, below: Below): Wanted[] {
  const wanted = [
    ...ancestors.flatMap(({ path, depth, by }) =>
      ancestorWanted(below, path, ancestorId(depth), by),
    ),
  ];
  for (const leaf of leaves) {
    wanted.push(...leafWanted(below, leaf, named.get(leaf.path)));
    // Not only at the end: an agent may have made many directories of almost as many.
    if (wanted.length > entriesMax) throw tooMany('.', wanted.length);
  }
  if (wanted.length > entriesMax) throw tooMany('.', wanted.length);
  return wanted;
}

function ancestorWanted(below: Below, path: string, id: number, by: GuardKind): Wanted[] {
  const stats = below.stats(path);
  return stats ? [{ path, stats, id, by, modeMask: maskFor(by) }] : [];
}

/** Without the bit that hands the group down: what is made in it is not guarded. */
function maskFor(by: GuardKind): number {
  return by === 'group' ? 0o5777 : 0o7777;
}

/** `named`: the key of git's configuration that it is guarded for. */
function leafWanted(below: Below, { path, kind, by }: Leaf, named: string | undefined): Wanted[] {
  const stats = below.stats(path);
  // Another kind of entry took its place just now: the next look sees it.
  if (!stats || stats.isSymbolicLink() !== (kind === 'link')) return [];
  if (kind !== 'tree') return [{ path, stats, id: leafId, by, modeMask: maskFor(by) }];
  try {
    return treeWanted(below, path, stats, by, 0);
  } catch (error) {
    if (named === undefined || !(error instanceof CoiError)) throw error;
    throw new CoiError(error.code, `${error.message}; ${quoted(named)} names it`, {
      hint: `Change that key, or list ${quoted(path)} in [security] writable_paths if the agent may change it.`,
    });
  }
}

function treeWanted(
  below: Below,
  path: string,
  stats: Stats,
  by: GuardKind,
  depth: number,
): Wanted[] {
  const found: Wanted[] = [{ path, stats, id: leafId, by, modeMask: 0o7777 }];
  if (!stats.isDirectory()) return found;
  if (depth > depthMax) throw tooMany(path, entriesMax);
  for (const name of below.names(path, entriesMax + 1)) {
    const inner = below.stats(`${path}/${name}`);
    if (!inner || inner.isSymbolicLink()) continue;
    found.push(...treeWanted(below, `${path}/${name}`, inner, by, depth + 1));
    if (found.length > entriesMax) throw tooMany(path, found.length);
  }
  return found;
}

/**
 * What is to be remembered of an inode; none if another is there by now. `previous` was guarded under that name before:
 * whoever writes a file anew (git, editors) gives it the permissions that the old one seemed to have, which under guard
 * are those of its list.
 */
export function entryOf(
  libc: Pick<Libc, 'getxattr'>,
  below: Below,
  { path, stats, by }: Wanted,
  { owner, previous }: { readonly owner: Owner; readonly previous: GuardedEntry | undefined },
): GuardedEntry[] {
  const found = below.with(path, (fd) => beforeGuard(libc, fd, by));
  if (!found || below.stats(path)?.ino !== stats.ino) return [];
  // From one guard to another: whose it was, and the bit that was taken away, are known.
  if (
    by === 'group' &&
    guardIds.includes(found.gid) &&
    previous?.by === by &&
    isSameInode(previous, stats)
  ) {
    const mode = (previous.mode & 0o7000) | (found.mode & 0o777);
    return [{ ...previous, mode }];
  }
  // A guard that was left behind by somebody says nothing about what was before it.
  const uid = guardIds.includes(found.uid) ? owner.uid : found.uid;
  const gid = guardIds.includes(found.gid) ? owner.gid : found.gid;
  const before = { ...found, uid, gid, acl: guardIds.includes(found.uid) ? '' : found.acl };
  return [
    {
      path,
      inode: stats.ino,
      bornMs: stats.birthtimeMs,
      ...before,
      ...inherited(before, previous),
    },
  ];
}

/** Others of the host may write there by their group, which they would lose for the time of the session. Throws `unprotected-path`. */
export function mayGuard(
  { path, stats, by }: Wanted,
  mode: ProtectRequest['mode'],
  owner: Owner,
): boolean {
  const shared =
    by === 'group' &&
    !stats.isSymbolicLink() &&
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

function tooMany(path: string, count: number): CoiError {
  return new CoiError(
    'unprotected-path',
    `the protected paths hold too many files (${count} in ${quoted(path)}; ${entriesMax} can be guarded one by one)`,
    {
      hint: 'Remove what is not yours there, protect less in [security], or set protection = "watch".',
    },
  );
}
