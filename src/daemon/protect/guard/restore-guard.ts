// Restores the guard of a session that was stopped and runs again.
import type { SessionRecord } from '../../../session/record/instance-record.ts';
import { MountSources } from '../../mounts/mount-sources.ts';
import { type RestoreParts, restoreOptions } from '../../mounts/restore.ts';
import { protectMounts } from '../session-protection.ts';
import type { WorkspaceGuards } from '../workspace-guards.ts';

/** Guards exactly what was mounted. Throws CoiError. */
export function restoreGuard(
  parts: Omit<RestoreParts, 'trees' | 'workspaceGuards'> & {
    readonly workspaceGuards: Pick<WorkspaceGuards, 'protect' | 'has'>;
  },
  session: SessionRecord,
): void {
  const { mounts: record } = session;
  const requests = record.mounts.filter(
    ({ name, git }) => name === 'workspace' || git !== undefined,
  );
  if (requests.length === 0 || !record.protect || parts.workspaceGuards.has(record.id)) return;
  using sources = new MountSources(restoreOptions(parts, session));
  protectMounts(parts, record, sources.open(requests), record);
}
