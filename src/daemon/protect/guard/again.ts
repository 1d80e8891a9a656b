// The guard of a running session whose guard was taken away while it was stopped.
import type { SessionRecord } from '../../../session/record/instance-record.ts';
import { Sources } from '../../mounts/mount-sources.ts';
import { optionsAgain, type RestoreParts } from '../../mounts/restore.ts';
import { protectOpened } from '../sessions.ts';
import type { Keeper } from '../workspace-guards.ts';

/** Guards what was really mounted, and nothing else. Throws CoiError. */
export function guardAgain(
  parts: Omit<RestoreParts, 'trees' | 'keeper'> & {
    readonly keeper: Pick<Keeper, 'protect' | 'has'>;
  },
  session: SessionRecord,
): void {
  const { mounts: record } = session;
  const requests = record.mounts.filter(
    ({ name, git }) => name === 'workspace' || git !== undefined,
  );
  if (requests.length === 0 || !record.protect || parts.keeper.has(record.id)) return;
  using sources = new Sources(optionsAgain(parts, session));
  protectOpened(parts, record, sources.open(requests), record);
}
