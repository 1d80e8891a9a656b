// coi clean --ownership: what containers left in a workspace and its sessions under their own ids becomes the user's.
import { hostFiles } from '../host/fs/host-files.ts';
import { absoluteWorkspace, type WorkspacePath } from '../names.ts';
import { storedSessions } from '../session/store/saved-sessions.ts';
import { storePath } from '../session/store/store.ts';
import { answeringWorkspace } from './answering-workspace.ts';
import type { AppContext } from './context.ts';

export interface OwnershipRequest {
  readonly workspace?: string | undefined;
  /** Of every workspace that has a saved session. */
  readonly all?: boolean | undefined;
  /** Only counts. */
  readonly dryRun?: boolean | undefined;
}

/** What was given back of one workspace and its sessions. */
export interface GivenBack {
  readonly workspace: WorkspacePath;
  readonly entries: number;
  /** False: not all of it was looked at. */
  readonly complete: boolean;
}

/** Each workspace as it is done. Throws `session-live` while a container of one runs. */
export async function* giveBackOwnership(
  app: AppContext,
  { workspace: asked, all = false, dryRun = false }: OwnershipRequest,
): AsyncGenerator<GivenBack> {
  const here = answeringWorkspace(app, asked);
  const stores = storesByWorkspace(app);
  const coid = await app.coid();
  for (const workspace of all ? new Set([here, ...stores.keys()]) : [here]) {
    const { count, complete } = await coid.giveBack(
      { workspace, directories: stores.get(workspace) ?? [], dryRun },
      { signal: app.signal },
    );
    yield { workspace, entries: count, complete };
  }
}

function storesByWorkspace(app: AppContext): Map<WorkspacePath, string[]> {
  const { home } = app.user;
  const stores = new Map<WorkspacePath, string[]>();
  for (const entry of storedSessions({ home }, hostFiles)) {
    if (entry.kind !== 'saved' || entry.metadata.workspace === undefined) continue;
    const { workspace, tool, sessionId } = entry.metadata;
    const key = absoluteWorkspace(workspace);
    if (key === undefined) continue;
    const dirs = stores.get(key) ?? [];
    stores.set(key, [...dirs, storePath(home, `sessions-${tool}`, sessionId)]);
  }
  return stores;
}
