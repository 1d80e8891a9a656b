// Makes the mounts of a container again: after a reboot of the host, after a stop, or as its user asks for them today.
import { join } from 'node:path';
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Homes } from '../../host/linux/accounts.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import { quoted } from '../../names.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import { mountName } from '../api/requests.ts';
import { guardOpened } from '../protect/guard/guardable.ts';
import type { Keeper } from '../protect/workspace-guards.ts';
import { rightsOf, sensitivePaths } from '../reservations/file-owner.ts';
import type { MountRoots } from './mount-roots.ts';
import { type SourceOptions, Sources } from './mount-sources.ts';
import type { MountTrees, TreeOwner } from './mount-trees.ts';
import type { OpenMount } from './open-mount.ts';
import type { RemoteFiles } from './remote-files.ts';
import { isTreeId } from './tree-id.ts';

export interface RestoreParts {
  readonly libc: Libc;
  readonly trees: MountTrees;
  readonly roots: MountRoots;
  readonly keeper: Pick<Keeper, 'protect'>;
  readonly homes: Homes;
  readonly files: Pick<RemoteFiles, 'isHeld'>;
  readonly runDir: string;
  readonly stateDir: string;
}

export interface Restored {
  readonly mounts: ReservedMount[];
  readonly errors: unknown[];
}

/** For what somebody asks for. */
export function optionsOf(
  parts: Omit<RestoreParts, 'trees' | 'keeper'>,
  { session, workspace }: { readonly session: string; readonly workspace: string },
  peer: Peer,
): SourceOptions {
  const { libc, roots, files } = parts;
  const sensitive = sensitivePaths(parts, peer.uid);
  return { libc, roots, files, session, workspace, sensitive, ids: peer };
}

/** For what nobody asks anew: with the rights of whom the container works for, and only what was mounted before. */
export function optionsAgain(
  parts: Omit<RestoreParts, 'trees' | 'keeper'>,
  { mounts, session, workspace }: SessionRecord,
): SourceOptions {
  return {
    libc: parts.libc,
    roots: parts.roots,
    files: parts.files,
    ids: rightsOf(parts.libc, mounts),
    session,
    workspace,
    sensitive: sensitivePaths(parts, mounts.ownerUid),
    before: parts.roots.of(mounts.id),
    onlyBefore: true,
  };
}

/** Makes what is missing of a session's mounts, each by itself. The record was written by a user, so it is checked like a request. */
export function restoreMounts(parts: RestoreParts, session: SessionRecord): Restored {
  const { trees, roots } = parts;
  const { mounts: record } = session;
  const restored: Restored = { mounts: [], errors: [] };
  if (!isTreeId(record.id)) {
    const error = `invalid id of mounts ${quoted(record.id)}`;
    restored.errors.push(new CoiError('mount-invalid', error));
    return restored;
  }
  const mounted = trees.present().get(record.id) ?? new Set();
  for (const request of record.mounts) {
    try {
      const hostPath = join(trees.directory, record.id, mountName(request.name));
      if (mounted.has(request.name)) {
        const recursive = trees.holdsMounts(record.id, request.name);
        const kind = session.ownIds ? 'plain' : 'idmapped';
        restored.mounts.push({ name: request.name, hostPath, kind, recursive });
        continue;
      }
      using sources = new Sources(optionsAgain(parts, session));
      const opened = sources.open([request]);
      for (const one of opened) roots.renew(record.id, one);
      const { ownIds } = session;
      restored.mounts.push(...mountsOf(parts, { ...record, ownIds }, opened));
    } catch (error) {
      restored.errors.push(error);
    }
  }
  return restored;
}

/** Mounts what is open, the workspace with its guard. Throws CoiError. */
export function mountsOf(
  parts: Pick<RestoreParts, 'trees' | 'keeper' | 'libc' | 'files'>,
  record: MountRecord & Pick<TreeOwner, 'ownIds'>,
  opened: readonly OpenMount[],
): ReservedMount[] {
  return parts.trees.make(record, opened, guardOpened(parts, record, opened, record));
}
