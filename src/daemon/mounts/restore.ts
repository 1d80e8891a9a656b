// Restores the mounts of a container: after a host reboot, after a stop, or as its user now requests them.
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
import { guardMounts } from '../protect/guard/guard-mounts.ts';
import type { WorkspaceGuards } from '../protect/workspace-guards.ts';
import { rightsOf, sensitivePaths } from '../reservations/file-owner.ts';
import type { MountRoots } from './mount-roots.ts';
import { MountSources, type SourceOptions } from './mount-sources.ts';
import type { MountTrees, TreeOwner } from './mount-trees.ts';
import type { OpenMount } from './open-mount.ts';
import type { RemoteFileSystems } from './remote-file-systems.ts';
import { isTreeId } from './tree-id.ts';

export interface RestoreParts {
  readonly libc: Libc;
  readonly trees: MountTrees;
  readonly roots: MountRoots;
  readonly workspaceGuards: Pick<WorkspaceGuards, 'protect'>;
  readonly homes: Homes;
  readonly files: Pick<RemoteFileSystems, 'isUnresponsive'>;
  readonly runDir: string;
  readonly stateDir: string;
}

export interface RestoreResult {
  readonly mounts: ReservedMount[];
  readonly errors: unknown[];
}

/** For a user's request. */
export function requestOptions(
  parts: Omit<RestoreParts, 'trees' | 'workspaceGuards'>,
  { session, workspace }: { readonly session: string; readonly workspace: string },
  peer: Peer,
): SourceOptions {
  const { libc, roots, files } = parts;
  const sensitive = sensitivePaths(parts, peer.uid);
  return { libc, roots, files, session, workspace, sensitive, ids: peer };
}

/** Without a new request: with the rights of the container's owner, and only for earlier mounts. */
export function restoreOptions(
  parts: Omit<RestoreParts, 'trees' | 'workspaceGuards'>,
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
    earlier: parts.roots.of(mounts.id),
    onlyEarlier: true,
  };
}

/** Creates a session's missing mounts independently of each other. Users can write the record, so it is checked like a request. */
export function restoreMounts(parts: RestoreParts, session: SessionRecord): RestoreResult {
  const { trees, roots } = parts;
  const { mounts: record } = session;
  const restored: RestoreResult = { mounts: [], errors: [] };
  if (!isTreeId(record.id)) {
    const error = `invalid mounts id ${quoted(record.id)}`;
    restored.errors.push(new CoiError('mount-invalid', error));
    return restored;
  }
  const mounted = trees.mountedNames().get(record.id) ?? new Set();
  for (const request of record.mounts) {
    try {
      const hostPath = join(trees.directory, record.id, mountName(request.name));
      if (mounted.has(request.name)) {
        const recursive = trees.hasSubmounts(record.id, request.name);
        const kind = session.ownIds ? 'plain' : 'idmapped';
        restored.mounts.push({ name: request.name, hostPath, kind, recursive });
        continue;
      }
      using sources = new MountSources(restoreOptions(parts, session));
      const opened = sources.open([request]);
      for (const one of opened) roots.setOne(record.id, one);
      const { ownIds } = session;
      restored.mounts.push(...makeMounts(parts, { ...record, ownIds }, opened));
    } catch (error) {
      restored.errors.push(error);
    }
  }
  return restored;
}

/** Makes the mounts from opened sources, the workspace with its guard. Throws CoiError. */
export function makeMounts(
  parts: Pick<RestoreParts, 'trees' | 'workspaceGuards' | 'libc' | 'files'>,
  record: MountRecord & Pick<TreeOwner, 'ownIds'>,
  opened: readonly OpenMount[],
): ReservedMount[] {
  return parts.trees.make(record, opened, guardMounts(parts, record, opened, record));
}
