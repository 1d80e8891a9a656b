// Guards the git directory that a workspace shares with other worktrees. It is guarded as part of its parent directory,
// so that sessions in other worktrees and in the main checkout share one guard.
import { closeSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import type { MountRecord, ProtectRequest } from '../../../coid-api/session-protocol.ts';
import { CoiError } from '../../../errors.ts';
import { openBeneathDescriptor } from '../../../host/fs/beneath.ts';
import { type OpenSource, openWithoutLinks } from '../../../host/fs/open-mount-source.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import { quoted } from '../../../names.ts';
import { isWorkedIn } from '../../../session/protect/git-directory.ts';
import { sharedGitRequest } from '../../../session/protect/protect-request.ts';
import type { Ancestor } from '../../../session/protect/protection-types.ts';
import type { OpenMount } from '../../mounts/open-mount.ts';
import type { WorkspaceGuards } from '../workspace-guards.ts';

export interface CommonGuard {
  /** Name of its mount. */
  readonly name: string;
  /** The directory itself; undefined if it is not guarded. */
  readonly own: Ancestor | undefined;
  /** Ancestors below it: relative paths, original depths. */
  readonly ancestors: readonly Ancestor[];
}

/** Throws `unprotected-path`. */
export function protectCommon(
  {
    workspaceGuards,
    libc,
  }: { readonly workspaceGuards: Pick<WorkspaceGuards, 'protect'>; readonly libc: Libc },
  owner: Pick<MountRecord, 'id' | 'ownerUid' | 'ownerGid'>,
  { source: common, request: { git: worktree, name: mount } }: OpenMount,
  request: ProtectRequest | undefined,
): CommonGuard {
  const name = basename(common.path);
  const checkout = checkoutOf(libc, common, worktree);
  const wanted = request && sharedGitRequest(request, name, [checkout]);
  if (!wanted) return { name: mount, own: undefined, ancestors: [] };
  const holder = openWithoutLinks(libc, dirname(common.path));
  try {
    refuseReplaced(libc, holder, common);
    const { id, ownerUid: uid, ownerGid: gid } = owner;
    const all = workspaceGuards.protect(
      id,
      holder,
      wanted,
      { uid, gid },
      `${name}/worktrees/${worktree}`,
    );
    return {
      name: mount,
      own: all.find(({ path }) => path === name),
      ancestors: all.flatMap((ancestor) =>
        ancestor.path.startsWith(`${name}/`) &&
        (ancestor.whole || !isOtherWorktree(libc, common, ancestor.path, checkout))
          ? [{ ...ancestor, path: ancestor.path.slice(name.length + 1) }]
          : [],
      ),
    };
  } finally {
    closeSync(holder.fd);
  }
}

function checkoutOf(libc: Libc, common: OpenSource, worktree = ''): string {
  using below = openBeneathDescriptor(libc, common.fd);
  const own = `worktrees/${worktree}`;
  return dirname(resolve(common.path, own, below.text(`${own}/gitdir`)?.trim() ?? ''));
}

/** The path is, or lies in, the directory of a worktree of other sessions. */
function isOtherWorktree(libc: Libc, common: OpenSource, path: string, checkout: string): boolean {
  const [, worktree] = /^[^/]+\/worktrees\/([^/]+)/.exec(path) ?? [];
  if (worktree === undefined) return false;
  return !isWorkedIn(`${checkoutOf(libc, common, worktree)}/`, [checkout]);
}

/** The guarded path must be the mounted directory. */
function refuseReplaced(libc: Libc, holder: OpenSource, { path, stats }: OpenSource): void {
  using below = openBeneathDescriptor(libc, holder.fd);
  const found = below.stats(basename(path));
  if (found?.ino === stats.ino && found.dev === stats.dev) return;
  throw new CoiError('unprotected-path', `${quoted(path)} changed while it was protected`, {
    hint: 'Try again.',
  });
}
