// coi clean --ownership: gives the user files that containers left under their own ids in a workspace and its sessions.
import { hostFiles } from '../host/fs/host-files.ts';
import { absoluteWorkspace, type WorkspacePath } from '../names.ts';
import { storedSessions } from '../session/store/saved-sessions.ts';
import { storePath } from '../session/store/store.ts';
import type { AppContext } from './context.ts';
import { resolveWorkspace } from './resolve-workspace.ts';

export interface OwnershipRequest {
  readonly workspace?: string | undefined;
  /** Every workspace that has a saved session. */
  readonly all?: boolean | undefined;
  /** Only count. */
  readonly dryRun?: boolean | undefined;
}

/** The result for one workspace and its sessions. */
export interface OwnershipResult {
  readonly workspace: WorkspacePath;
  readonly entries: number;
  /** False if not everything was checked. */
  readonly complete: boolean;
}

/** Yields each workspace when it is done. Throws `session-live` while a container of one runs. */
export async function* restoreOwnership(
  app: AppContext,
  { workspace: asked, all = false, dryRun = false }: OwnershipRequest,
): AsyncGenerator<OwnershipResult> {
  const current = resolveWorkspace(app, asked);
  const stores = storesByWorkspace(app);
  const coid = await app.coid();
  for (const workspace of all ? new Set([current, ...stores.keys()]) : [current]) {
    const { count, complete } = await coid.fixOwnership(
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
