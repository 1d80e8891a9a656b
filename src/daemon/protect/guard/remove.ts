// Removes a guard and restores the original attributes of every inode.
import type { Beneath } from '../../../host/fs/beneath.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import type { ProtectionPlan } from '../../../session/protect/protection-types.ts';
import { isRootUnresponsive, openRoot, type RootParts } from '../workspace-root.ts';
import { hasGuard, isUnfinished, unguardInode } from './guard-inode.ts';
import { guardIds } from './ids.ts';
import type { GuardRecord } from './record.ts';
import type { CreatedEntry, GuardState, Owner } from './state.ts';

type Attributes = Pick<Libc, 'getxattr' | 'setxattr' | 'removexattr'>;

const depthMax = 12;

/** Restores all entries and removes placeholders. Entries that are not found are skipped. */
export function removeGuard(
  libc: Attributes,
  below: Beneath,
  plan: Pick<ProtectionPlan, 'ancestors' | 'leaves'>,
  owner: Owner,
  state: GuardState,
): void {
  for (const entry of state.entries) {
    below.with(entry.path, (fd) => {
      const stats = below.stats(entry.path);
      if (stats?.ino !== entry.inode) return;
      if (hasGuard(stats) || isUnfinished(libc, fd, entry)) unguardInode(libc, fd, entry);
    });
  }
  // Entries that the host moved meanwhile are still near the paths where they were guarded.
  const directories = [
    '.',
    ...plan.ancestors.map(({ path }) => path),
    ...plan.leaves.map(({ path }) => path),
  ];
  for (const directory of new Set(directories)) sweep(libc, below, directory, owner, state, 0);
  for (const made of state.made.toReversed()) removePlaceholder(below, made);
}

/** Updates path and device number: after a reboot a file system may have a different number. */
export function updateForBoot(roots: RootParts, record: GuardRecord): GuardRecord {
  if (isRootUnresponsive(roots, record)) return record;
  using root = openRoot(roots, record, undefined);
  if (!root) return record;
  const { device, path, below } = root;
  const state = removeUnfinished(below, record.state);
  return { ...record, device, boot: roots.boot, root: path, state };
}

/** Removes unfinished placeholders of a killed coid: git fails on a partial file. No session has seen them. */
function removeUnfinished(below: Beneath, state: GuardState): GuardState {
  const unfinished = state.made.filter(({ inode }) => inode === 0);
  for (const made of unfinished.toReversed()) removePlaceholder(below, made);
  return unfinished.length === 0
    ? state
    : { ...state, made: state.made.filter(({ inode }) => inode) };
}

function sweep(
  libc: Attributes,
  below: Beneath,
  directory: string,
  owner: Owner,
  state: GuardState,
  depth: number,
): void {
  if (depth > depthMax) return;
  for (const name of below.names(directory)) {
    const path = directory === '.' ? name : `${directory}/${name}`;
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
    below.with(path, (fd) => unguardInode(libc, fd, before));
    if (stats.isDirectory()) sweep(libc, below, path, owner, state, depth + 1);
  }
}

function removePlaceholder(below: Beneath, { path, inode, content }: CreatedEntry): void {
  const stats = below.stats(path);
  if (!stats) return;
  const same = inode === 0 || stats.ino === inode;
  const text = stats.isDirectory() ? content : below.text(path);
  // A coid that is killed while creating one leaves an empty or partial file.
  const isHalf = inode === 0 && text !== undefined && content.startsWith(text);
  if (same && (text === content || isHalf)) below.remove(path, stats.ino);
}
