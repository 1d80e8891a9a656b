// Makes a session's container persistent: one key of the instance, which every process sees.
import { hostFiles } from '../../host/fs/host-files.ts';
import { keys } from '../../instance-keys.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { updateContainer } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { StoredEntry } from '../../session/store/saved-sessions.ts';
import { storedSession, storedSessions } from '../../session/store/saved-sessions.ts';
import { recordSession } from '../../session/store/store.ts';
import type { AppContext } from '../context.ts';

export async function keepContainer(
  app: AppContext,
  { name, session, adopted, instance }: Container,
): Promise<void> {
  try {
    await updateContainer(
      await app.incus(),
      refOf(instance),
      // A `coi shutdown` that was killed halfway may have left it ephemeral in Incus.
      { config: { [keys.persistent]: 'true' }, ephemeral: false },
      { signal: app.signal },
    );
  } catch (error) {
    throw incusFailure(error, 'marking the container failed');
  }
  const { home, uid, gid } = app.user;
  const stored = session
    ? storedSession(session.session, { home, tool: session.tool }, hostFiles)
    : newestOf(name, home);
  if (stored?.kind === 'saved') {
    const metadata = { ...stored.metadata, persistent: true };
    const tool = { sessionsDir: `sessions-${stored.metadata.tool}` };
    recordSession({ home, tool, storeOwner: { uid, gid }, metadata }, hostFiles);
  } else if (session ?? adopted?.workspace)
    app.report.warn(`${name}: no saved metadata; a resume in a new container will be ephemeral`);
}

/** The saved session of that container by the Go program. */
function newestOf(container: string, home: string): StoredEntry | undefined {
  return storedSessions({ home }, hostFiles).find(
    (entry) => entry.kind === 'saved' && entry.metadata.container === container,
  );
}
