// The guard of a running session whose guard was taken away while it was stopped.
import type { SessionRecord } from '../../session/record.ts';
import { optionsAgain, type RestoreParts } from '../restore.ts';
import { Sources } from '../sources.ts';
import type { Keeper } from './keeper.ts';
import { protectWorkspace } from './sessions.ts';

/** Guards what was really mounted, and nothing else. Throws CoiError. */
export function guardAgain(
  parts: Omit<RestoreParts, 'trees' | 'keeper'> & {
    readonly keeper: Pick<Keeper, 'protect' | 'has'>;
  },
  session: SessionRecord,
): void {
  const { mounts: record } = session;
  const request = record.mounts.find(({ name }) => name === 'workspace');
  if (!request || !record.protect || parts.keeper.has(record.id)) return;
  using sources = new Sources(optionsAgain(parts, session));
  protectWorkspace(parts.keeper, record, sources.open([request])[0]?.source, record.protect);
}
