// Which saved session is meant.
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { parseSessionId } from '../names.ts';
import { oneLine } from '../printable.ts';
import type { SessionMetadata } from '../session/record/metadata.ts';
import { meantId } from '../session/record/session-by-id.ts';
import type { StoredEntry } from '../session/store/saved-sessions.ts';
import {
  belongsTo,
  newestSession,
  storedSession,
  storedSessions,
} from '../session/store/saved-sessions.ts';
import type { AppContext } from './context.ts';
import type { SessionTarget } from './requests.ts';
import { here } from './workspace-names.ts';

export function one(app: AppContext, id: string): SessionMetadata {
  const entry = sessionOf(app, id);
  if (entry?.kind === 'saved') return entry.metadata;
  // What `coi list` shows of a session is the name of its container.
  const ofContainer = entry ? undefined : newestSaved(app, ({ container }) => container === id);
  if (ofContainer) return ofContainer;
  throw new CoiError('session-not-found', `session not found: ${oneLine(id)}`, {
    hint:
      entry?.kind === 'broken'
        ? `${entry.dir} is there, but ${entry.problem}.`
        : 'Run `coi list --all` to see saved sessions.',
  });
}

/** Nothing is stored under what cannot be an id either. */
function sessionOf(app: AppContext, id: string): StoredEntry | undefined {
  try {
    const query = { home: app.user.home };
    const given = parseSessionId(id);
    const exact = storedSession(given, query, hostFiles);
    if (exact) return exact;
    const ids = storedSessions(query, hostFiles).flatMap((entry) =>
      entry.kind === 'saved' ? [entry.metadata.sessionId] : [],
    );
    const meant = meantId(given, ids);
    return meant === given ? undefined : storedSession(meant, query, hostFiles);
  } catch (error) {
    if (error instanceof CoiError && error.code === 'usage') return undefined;
    throw error;
  }
}

export function newest(app: AppContext, target: Pick<SessionTarget, 'workspace'>): SessionMetadata {
  const workspace = here(app, target);
  const found = newestSaved(app, (metadata) => belongsTo(metadata, workspace));
  if (found) return found;
  const ofAll = target.workspace === undefined ? newestSaved(app, () => true) : undefined;
  if (ofAll) {
    app.report.info(`${workspace.path} has no session; this is the newest of all:`);
    return ofAll;
  }
  throw new CoiError('session-not-found', `no sessions found for ${workspace.path}`, {
    hint: 'Run `coi list --all` to see saved sessions.',
  });
}

function newestSaved(
  app: AppContext,
  isMeant: (metadata: SessionMetadata) => boolean,
): SessionMetadata | undefined {
  return newestSession(storedSessions({ home: app.user.home }, hostFiles), isMeant);
}
