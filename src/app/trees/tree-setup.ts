// The `[workspace] setup` command, which prepares a new tree once.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { Settings } from '../../config/keys/table.ts';
import type { AppContext } from '../context.ts';
import { treeOfWorkspace } from './tree-places.ts';

/** The command; undefined if the workspace is no tree of its own, or is prepared. */
export function treeSetup(
  { user }: Pick<AppContext, 'user'>,
  workspace: string,
  settings: Pick<Settings, 'workspace.setup'>,
): string | undefined {
  const command = settings['workspace.setup'];
  const places = treeOfWorkspace(user.home, workspace);
  return command !== '' && places && !existsSync(places.setUp) ? command : undefined;
}

/** A session has been given the command: the next one in the tree does not prepare it again. */
export async function markSetUp(
  app: Pick<AppContext, 'user'>,
  workspace: string,
  settings: Pick<Settings, 'workspace.setup'>,
): Promise<void> {
  const places = treeOfWorkspace(app.user.home, workspace);
  if (places && treeSetup(app, workspace, settings) !== undefined)
    await writeFile(places.setUp, '', { mode: 0o600 });
}
