// Selects a saved session.
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { parseSessionId } from '../names.ts';
import { oneLine } from '../printable.ts';
import { expandSessionId } from '../session/record/expand-session-id.ts';
import type { SessionMetadata } from '../session/record/metadata.ts';
import type { StoredEntry } from '../session/store/saved-sessions.ts';
import {
  belongsToWorkspace,
  newestSession,
  storedSession,
  storedSessions,
} from '../session/store/saved-sessions.ts';
import type { AppContext } from './context.ts';
import type { SessionTarget } from './requests.ts';
import { identifyWorkspace } from './workspace-names.ts';

export function findSavedSession(app: AppContext, id: string): SessionMetadata {
  const entry = findStored(app, id);
  if (entry?.kind === 'saved') return entry.metadata;
  // `coi list` shows container names, so they are accepted too.
  const ofContainer = entry ? undefined : newestMatching(app, ({ container }) => container === id);
  if (ofContainer) return ofContainer;
  throw new CoiError('session-not-found', `session not found: ${oneLine(id)}`, {
    hint:
      entry?.kind === 'broken'
        ? `${entry.dir} exists, but ${entry.problem}.`
        : 'Run `coi list --all` to see saved sessions.',
  });
}

/** Undefined for a malformed id, too. */
function findStored(app: AppContext, id: string): StoredEntry | undefined {
  try {
    const query = { home: app.user.home };
    const given = parseSessionId(id);
    const exact = storedSession(given, query, hostFiles);
    if (exact) return exact;
    const ids = storedSessions(query, hostFiles).flatMap((entry) =>
      entry.kind === 'saved' ? [entry.metadata.sessionId] : [],
    );
    const fullId = expandSessionId(given, ids);
    return fullId === given ? undefined : storedSession(fullId, query, hostFiles);
  } catch (error) {
    if (error instanceof CoiError && error.code === 'usage') return undefined;
    throw error;
  }
}

export function newestSavedSession(
  app: AppContext,
  target: Pick<SessionTarget, 'workspace'>,
): SessionMetadata {
  const workspace = identifyWorkspace(app, target);
  const found = newestMatching(app, (metadata) => belongsToWorkspace(metadata, workspace));
  if (found) return found;
  const ofAll = target.workspace === undefined ? newestMatching(app, () => true) : undefined;
  if (ofAll) {
    app.report.info(`${workspace.path} has no session; showing the newest of all workspaces:`);
    return ofAll;
  }
  throw new CoiError('session-not-found', `no sessions found for ${workspace.path}`, {
    hint: 'Run `coi list --all` to see saved sessions.',
  });
}

function newestMatching(
  app: AppContext,
  matches: (metadata: SessionMetadata) => boolean,
): SessionMetadata | undefined {
  return newestSession(storedSessions({ home: app.user.home }, hostFiles), matches);
}
