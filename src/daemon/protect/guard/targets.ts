// Determines which inodes of a workspace to guard, and their original attributes.
import type { Stats } from 'node:fs';
import type { ProtectRequest } from '../../../coid-api/session-protocol.ts';
import { CoiError } from '../../../errors.ts';
import type { Beneath } from '../../../host/fs/beneath.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import { quoted } from '../../../names.ts';
import type { GuardKind, Leaf, ProtectionPlan } from '../../../session/protect/protection-types.ts';
import { inheritedAttributes, readAttributes } from './guard-inode.ts';
import { ancestorId, guardIds, leafId } from './ids.ts';
import { type GuardedEntry, isSameInode, type Owner } from './state.ts';

export interface GuardTarget {
  readonly path: string;
  readonly stats: Stats;
  readonly id: number;
  readonly by: GuardKind;
  /** Mode bits that are kept under guard. */
  readonly modeMask: number;
}

/**
 * More or deeper entries are refused. Plans stay far below this (session/protect/guard-builder.ts): the limit is for
 * entries that are created between the plan and the guard.
 */
export const entriesMax = 10_000;
export const depthMax = 12;

/** Throws `unprotected-path`. */
export function guardTargets(
  { ancestors, leaves, named }: ProtectionPlan,
  below: Beneath,
): GuardTarget[] {
  const wanted = [
    ...ancestors.flatMap(({ path, depth, by }) =>
      ancestorTargets(below, path, ancestorId(depth), by),
    ),
  ];
  for (const leaf of leaves) {
    wanted.push(...leafTargets(below, leaf, named.get(leaf.path)));
    // Checked per leaf: an agent may have created many directories just below the limit.
    if (wanted.length > entriesMax) throw tooMany('.', wanted.length);
  }
  if (wanted.length > entriesMax) throw tooMany('.', wanted.length);
  return wanted;
}

function ancestorTargets(below: Beneath, path: string, id: number, by: GuardKind): GuardTarget[] {
  const stats = below.stats(path);
  return stats ? [{ path, stats, id, by, modeMask: maskFor(by) }] : [];
}

/** Without setgid, which would pass the guard's group on to new entries. */
function maskFor(by: GuardKind): number {
  return by === 'group' ? 0o5777 : 0o7777;
}

/** `named`: the key in git's configuration that names the path. */
function leafTargets(
  below: Beneath,
  { path, kind, by }: Leaf,
  named: string | undefined,
): GuardTarget[] {
  const stats = below.stats(path);
  // It was just replaced by another kind of entry: the next check sees it.
  if (!stats || stats.isSymbolicLink() !== (kind === 'link')) return [];
  if (kind !== 'tree') return [{ path, stats, id: leafId, by, modeMask: maskFor(by) }];
  try {
    return treeTargets(below, path, stats, by, 0);
  } catch (error) {
    if (named === undefined || !(error instanceof CoiError)) throw error;
    throw new CoiError(error.code, `${error.message}; ${quoted(named)} names it`, {
      hint: `Change that key, or list ${quoted(path)} in [security] writable_paths if the agent may change it.`,
    });
  }
}

function treeTargets(
  below: Beneath,
  path: string,
  stats: Stats,
  by: GuardKind,
  depth: number,
): GuardTarget[] {
  const found: GuardTarget[] = [{ path, stats, id: leafId, by, modeMask: 0o7777 }];
  if (!stats.isDirectory()) return found;
  if (depth > depthMax) throw tooMany(path, entriesMax);
  for (const name of below.names(path, entriesMax + 1)) {
    const inner = below.stats(`${path}/${name}`);
    if (!inner || inner.isSymbolicLink()) continue;
    found.push(...treeTargets(below, `${path}/${name}`, inner, by, depth + 1));
    if (found.length > entriesMax) throw tooMany(path, found.length);
  }
  return found;
}

/**
 * The entry to save for an inode; none if the inode was replaced. `previous` was guarded under that name before: programs
 * that rewrite a file (git, editors) copy the visible permissions of the old one, which under guard come from its ACL.
 */
export function entryOf(
  libc: Pick<Libc, 'getxattr'>,
  below: Beneath,
  { path, stats, by }: GuardTarget,
  { owner, previous }: { readonly owner: Owner; readonly previous: GuardedEntry | undefined },
): GuardedEntry[] {
  const found = below.with(path, (fd) => readAttributes(libc, fd, by));
  if (!found || below.stats(path)?.ino !== stats.ino) return [];
  // From one guard to another: the original group and setgid bit are known.
  if (
    by === 'group' &&
    guardIds.includes(found.gid) &&
    previous?.by === by &&
    isSameInode(previous, stats)
  ) {
    const mode = (previous.mode & 0o7000) | (found.mode & 0o777);
    return [{ ...previous, mode }];
  }
  // A leftover guard hides the original attributes.
  const uid = guardIds.includes(found.uid) ? owner.uid : found.uid;
  const gid = guardIds.includes(found.gid) ? owner.gid : found.gid;
  const before = { ...found, uid, gid, acl: guardIds.includes(found.uid) ? '' : found.acl };
  return [
    {
      path,
      inode: stats.ino,
      bornMs: stats.birthtimeMs,
      ...before,
      ...inheritedAttributes(before, previous),
    },
  ];
}

/** A guard would take write access from the group while the session runs. Throws `unprotected-path`. */
export function mayGuard(
  { path, stats, by }: GuardTarget,
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
    `${quoted(path)} cannot be protected: its group would lose write access while the session runs`,
    { hint: 'Remove group write access (chmod g-w), or set [security] protection = "watch".' },
  );
}

function tooMany(path: string, count: number): CoiError {
  return new CoiError(
    'unprotected-path',
    `the protected paths contain too many files (${count} in ${quoted(path)}; the limit is ${entriesMax})`,
    {
      hint: 'Remove files that do not belong there, protect fewer paths in [security], or set protection = "watch".',
    },
  );
}
