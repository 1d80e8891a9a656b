// The output of `coi clean --ownership`.
import {
  type OwnershipRequest,
  type OwnershipResult,
  restoreOwnership,
} from '../../app/ownership.ts';
import type { App } from '../app.ts';

export async function cleanOwnership(
  app: App,
  options: OwnershipRequest & { readonly json?: boolean },
): Promise<void> {
  const { json = false, dryRun = false } = options;
  const print = json ? app.io.info : app.io.print;
  const rows: OwnershipResult[] = [];
  for await (const row of restoreOwnership(app, options)) {
    const { workspace, entries, complete } = row;
    rows.push(row);
    const what = `${entries} ${entries === 1 ? 'entry' : 'entries'} in ${workspace} and its sessions`;
    if (entries > 0) print(dryRun ? `  - ${what}` : `✓ Took ownership: ${what}`);
    if (!complete)
      app.io.warn(
        `${workspace}: not everything was checked; a session may have started in the meantime`,
      );
  }
  if (rows.every(({ entries }) => entries === 0)) print('Nothing to take ownership of.');
  else if (dryRun) print('[Dry run] No changes made.');
  if (json) app.io.printJson({ dry_run: dryRun, workspaces: rows });
}
