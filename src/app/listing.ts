// Addresses and saved sessions for `coi list`.
import type { Container } from '../session/record/instance-record.ts';
import type { SavedRow } from '../session/record/listing.ts';
import { currentAddress, pinnedAddress } from '../session/record/listing.ts';
import type { SessionMetadata } from '../session/record/metadata.ts';
import type { AppContext } from './context.ts';

/** Addresses of containers without a pinned one: those that are not sessions get theirs from the bridge. */
export async function bridgeAddresses(
  app: AppContext,
  containers: readonly Container[],
): Promise<Map<string, string>> {
  const unknown = containers.filter(
    (one) => one.adopted && one.status !== 'Stopped' && !pinnedAddress(one),
  );
  if (unknown.length === 0) return new Map();
  const incus = await app.incus();
  const lookups = unknown.map(async ({ name }): Promise<[string, string][]> => {
    // A container that is just being deleted must not fail the list.
    const state = await incus.instanceState(name, { signal: app.signal }).catch(() => undefined);
    const address = state && currentAddress(state);
    return address === undefined ? [] : [[name, address]];
  });
  return new Map((await Promise.all(lookups)).flat());
}

/** The sessions that `coi shell --resume` could resume: live ones are not saved yet. */
export async function savedSessions(
  app: AppContext,
  containers: readonly Container[],
  more: ((metadata: SessionMetadata) => Partial<SavedRow>) | undefined,
): Promise<SavedRow[]> {
  const [{ hostFiles }, { storedSessions }] = await Promise.all([
    import('../host/fs/host-files.ts'),
    import('../session/store/saved-sessions.ts'),
  ]);
  const live = new Set(
    containers.filter(({ status }) => status !== 'Stopped').map(({ session }) => session?.session),
  );
  return storedSessions({ home: app.user.home }, hostFiles).flatMap((entry) => {
    if (entry.kind !== 'saved' || live.has(entry.metadata.sessionId)) return [];
    const { sessionId, savedAt, workspace } = entry.metadata;
    return [{ id: sessionId, savedAt, workspace, ...more?.(entry.metadata) }];
  });
}
