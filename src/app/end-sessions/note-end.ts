// Records in a session's metadata that it has just ended: the newest session of a workspace is the one used last.
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { absoluteWorkspace, type SessionId } from '../../names.ts';
import { isSameWorkspace } from '../../session/plan/workspace.ts';
import type { Container, SessionRecord } from '../../session/record/instance-record.ts';
import type { SessionMetadata } from '../../session/record/metadata.ts';
import { storedSession, storedSessions } from '../../session/store/saved-sessions.ts';
import { recordSession } from '../../session/store/store.ts';
import type { AppContext } from '../context.ts';

/** False if there is no such session in the user's store. Throws `store-unusable`, as on a full disk. */
export function markSaved(app: AppContext, id: SessionId, tool: string): boolean {
  const { home, uid, gid } = app.user;
  const stored = storedSession(id, { home, tool }, hostFiles);
  if (stored?.kind !== 'saved') return false;
  const metadata = { ...stored.metadata, savedAt: savedAt(app, stored.metadata) };
  const sessionsDir = `sessions-${tool}`;
  recordSession(
    { home, tool: { sessionsDir }, storeOwner: { uid, gid }, metadata, durable: true },
    hostFiles,
  );
  return true;
}

/** Records that a terminal is attached. Ignores sessions of other users, and errors of the store. */
export function noteAttached(app: AppContext, { session, tool, owner }: SessionRecord): void {
  const { home, uid, gid } = app.user;
  if (owner !== uid) return;
  try {
    const stored = storedSession(session, { home, tool }, hostFiles);
    if (stored?.kind !== 'saved') return;
    const metadata = { ...stored.metadata, attachedAt: app.clock.now() };
    const sessionsDir = `sessions-${tool}`;
    recordSession({ home, tool: { sessionsDir }, storeOwner: { uid, gid }, metadata }, hostFiles);
  } catch (error) {
    // Ignored: a full disk must not end the terminal.
    if (!(error instanceof CoiError)) throw error;
  }
}

/** Records the end of a session, which may be another user's (`--all-users`). Warns about errors of the store. */
export function noteEnd(app: AppContext, { session, tool }: SessionRecord): void {
  try {
    markSaved(app, session, tool);
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    app.report.warn(`the time of the session could not be saved: ${error.message}`);
  }
}

/** Records that a container was deleted on request, and reports it if the container was persistent. */
export function noteDeleted(
  app: AppContext,
  { name, session }: Container,
  story: (text: string) => void,
): void {
  if (!session) return;
  noteEnd(app, session);
  if (session.persistent)
    story(
      `${name} was persistent: the container and everything installed in it are deleted; the conversation is kept for --resume`,
    );
}

/** Now, but after every other session of the workspace: the clock may have been set back since one of them ended. */
function savedAt(app: AppContext, own: SessionMetadata): Date {
  const path = absoluteWorkspace(own.workspace ?? '');
  const isSame = (other: SessionMetadata) =>
    path !== undefined && isSameWorkspace(other, { path, real: own.realWorkspace ?? path });
  const times = storedSessions({ home: app.user.home }, hostFiles).map((entry) =>
    entry.kind === 'saved' && entry.metadata.sessionId !== own.sessionId && isSame(entry.metadata)
      ? (entry.metadata.savedAt?.getTime() ?? 0) + 1000
      : 0,
  );
  return new Date(Math.max(app.clock.now().getTime(), ...times));
}
