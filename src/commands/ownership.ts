// coi clean --ownership: what containers left in a workspace and its sessions under their own ids becomes the user's.
import type { App } from '../app.ts';
import { hostFiles } from '../host/files.ts';
import type { WorkspacePath } from '../names.ts';
import { storePath } from '../session/store.ts';
import { storedSessions } from '../session/stored.ts';
import { answeringWorkspace } from './answering.ts';
import type { GlobalOptions } from './command.ts';

export interface OwnershipOptions extends GlobalOptions {
  /** Of every workspace that has a saved session. */
  all?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

/** Throws `session-live` while a container of the workspace runs. */
export async function cleanOwnership(app: App, options: OwnershipOptions): Promise<void> {
  const here = answeringWorkspace(app, options.workspace);
  const stores = storesByWorkspace(app);
  const workspaces = options.all ? [...new Set([here, ...stores.keys()])] : [here];
  const coid = await app.coid();
  const { json = false, dryRun = false } = options;
  const say = json ? app.io.tell : app.io.print;
  const rows: { workspace: string; entries: number; complete: boolean }[] = [];
  for (const workspace of workspaces) {
    const { count, complete } = await coid.giveBack(
      { workspace, directories: stores.get(workspace) ?? [], dryRun },
      { signal: app.signal },
    );
    rows.push({ workspace, entries: count, complete });
    const what = `${count} ${count === 1 ? 'entry' : 'entries'} in ${workspace} and its sessions`;
    if (count > 0) say(dryRun ? `  - ${what}` : `✓ Given back: ${what}`);
    if (!complete)
      app.io.warn(`${workspace}: not all of it was looked at; a session may have begun meanwhile`);
  }
  if (rows.every(({ entries }) => entries === 0)) say('Nothing to give back.');
  else if (dryRun) say('[Dry run] No changes made.');
  if (json) app.io.printJson({ dry_run: dryRun, workspaces: rows });
}

function storesByWorkspace(app: App): Map<WorkspacePath, string[]> {
  const { home } = app.user;
  const stores = new Map<WorkspacePath, string[]>();
  for (const entry of storedSessions({ home }, hostFiles)) {
    if (entry.kind !== 'saved' || entry.metadata.workspace === undefined) continue;
    const { workspace, tool, sessionId } = entry.metadata;
    const key = workspace as WorkspacePath;
    const dirs = stores.get(key) ?? [];
    stores.set(key, [...dirs, storePath(home, `sessions-${tool}`, sessionId)]);
  }
  return stores;
}
