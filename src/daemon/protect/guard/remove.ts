// Takes a guard away: every inode becomes what it was.
import type { Below } from '../../../host/fs/beneath.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import type { ProtectionPlan } from '../../../session/protect/protection-types.ts';
import { isHeldRoot, openRoot, type RootParts } from '../workspace-root.ts';
import { hasGuard, isBegun, unguard } from './change.ts';
import { guardIds } from './ids.ts';
import type { GuardRecord } from './record.ts';
import type { GuardState, MadeEntry, Owner } from './state.ts';

type Attributes = Pick<Libc, 'getxattr' | 'setxattr' | 'removexattr'>;

const depthMax = 12;

/** Gives everything back what it was and takes away what was made. What cannot be found any more is left. */
export function removeGuard(
  libc: Attributes,
  below: Below,
  plan: Pick<ProtectionPlan, 'ancestors' | 'leaves'>,
  owner: Owner,
  state: GuardState,
): void {
  for (const entry of state.entries) {
    below.with(entry.path, (fd) => {
      const stats = below.stats(entry.path);
      if (stats?.ino !== entry.inode) return;
      if (hasGuard(stats) || isBegun(libc, fd, entry)) unguard(libc, fd, entry);
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

/** As it is now: after a reboot the same file system may have another number. */
export function onThisBoot(roots: RootParts, record: GuardRecord): GuardRecord {
  if (isHeldRoot(roots, record)) return record;
  using root = openRoot(roots, record, undefined);
  if (!root) return record;
  const { device, path, below } = root;
  const state = removeBegun(below, record.state);
  return { ...record, device, boot: roots.boot, root: path, state };
}

/** Takes away what a coid that was killed was about to make: git fails at half of one. No session got to know of it. */
function removeBegun(below: Below, state: GuardState): GuardState {
  const begun = state.made.filter(({ inode }) => inode === 0);
  for (const made of begun.toReversed()) removePlaceholder(below, made);
  return begun.length === 0 ? state : { ...state, made: state.made.filter(({ inode }) => inode) };
}

function sweep(
  libc: Attributes,
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
    if (!stats || !hasGuard(stats)) continue;
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

function removePlaceholder(below: Below, { path, inode, content }: MadeEntry): void {
  const stats = below.stats(path);
  if (!stats) return;
  const same = inode === 0 || stats.ino === inode;
  const text = stats.isDirectory() ? content : below.text(path);
  // A coid that was killed while it made one leaves a file with nothing in it, or the beginning.
  const isHalf = inode === 0 && text !== undefined && content.startsWith(text);
  if (same && (text === content || isHalf)) below.remove(path, stats.ino);
}
