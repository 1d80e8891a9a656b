// Guards the git directory that a workspace shares with other worktrees. It is guarded as part of the directory that
// holds it: sessions in other worktrees, or in the main checkout itself, then have one guard and not two.
import { closeSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { MountRecord, ProtectRequest } from '../../../coid-api/session-protocol.ts';
import { CoiError } from '../../../errors.ts';
import { belowDescriptor } from '../../../host/fs/beneath.ts';
import { openWithoutLinks, type Source } from '../../../host/fs/open-source.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import { quoted } from '../../../names.ts';
import { isWorkedIn } from '../../../session/protect/git-directory.ts';
import { commonRequest } from '../../../session/protect/protect-request.ts';
import type { Ancestor } from '../../../session/protect/protection-types.ts';
import type { OpenMount } from '../../mounts/open-mount.ts';
import type { Keeper } from '../workspace-guards.ts';

export interface CommonGuard {
  /** Of its mount. */
  readonly name: string;
  /** Of the directory itself; undefined where it is not guarded. */
  readonly own: Ancestor | undefined;
  /** Below it; paths relative to it, depths as they were given out. */
  readonly ancestors: readonly Ancestor[];
}

/** Throws `unprotected-path`. */
export function protectCommon(
  { keeper, libc }: { readonly keeper: Pick<Keeper, 'protect'>; readonly libc: Libc },
  owner: Pick<MountRecord, 'id' | 'ownerUid' | 'ownerGid'>,
  { source: common, request: { git: worktree, name: mount } }: OpenMount,
  request: ProtectRequest | undefined,
): CommonGuard {
  const name = basename(common.path);
  const checkout = checkoutOf(libc, common, worktree);
  const wanted = request && commonRequest(request, name, [checkout]);
  if (!wanted) return { name: mount, own: undefined, ancestors: [] };
  const holder = openWithoutLinks(libc, dirname(common.path));
  try {
    refuseOther(libc, holder, common);
    const { id, ownerUid: uid, ownerGid: gid } = owner;
    const all = keeper.protect(id, holder, wanted, { uid, gid }, `${name}/worktrees/${worktree}`);
    return {
      name: mount,
      own: all.find(({ path }) => path === name),
      ancestors: all.flatMap((ancestor) =>
        ancestor.path.startsWith(`${name}/`) &&
        (ancestor.whole || !isOfOthers(libc, common, ancestor.path, checkout))
          ? [{ ...ancestor, path: ancestor.path.slice(name.length + 1) }]
          : [],
      ),
    };
  } finally {
    closeSync(holder.fd);
  }
}

function checkoutOf(libc: Libc, common: Source, worktree = ''): string {
  using below = belowDescriptor(libc, common.fd);
  const own = `worktrees/${worktree}`;
  return dirname(resolve(common.path, own, below.text(`${own}/gitdir`)?.trim() ?? ''));
}

/** The directory of a worktree in which another session works, or in it. */
function isOfOthers(libc: Libc, common: Source, path: string, checkout: string): boolean {
  const [, worktree] = /^[^/]+\/worktrees\/([^/]+)/.exec(path) ?? [];
  if (worktree === undefined) return false;
  return !isWorkedIn(`${checkoutOf(libc, common, worktree)}/`, [checkout]);
}

/** What is guarded by its name has to be what is mounted. */
function refuseOther(libc: Libc, holder: Source, { path, stats }: Source): void {
  using below = belowDescriptor(libc, holder.fd);
  const found = below.stats(basename(path));
  if (found?.ino === stats.ino && found.dev === stats.dev) return;
  throw new CoiError('unprotected-path', `${quoted(path)} changed while it was protected`, {
    hint: 'Try again.',
  });
}
