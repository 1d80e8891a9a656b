// `coi clean --ownership`, as it goes.
import { type GivenBack, giveBackOwnership, type OwnershipRequest } from '../../app/ownership.ts';
import type { App } from '../app.ts';

export async function cleanOwnership(
  app: App,
  options: OwnershipRequest & { readonly json?: boolean },
): Promise<void> {
  const { json = false, dryRun = false } = options;
  const say = json ? app.io.tell : app.io.print;
  const rows: GivenBack[] = [];
  for await (const row of giveBackOwnership(app, options)) {
    const { workspace, entries, complete } = row;
    rows.push(row);
    const what = `${entries} ${entries === 1 ? 'entry' : 'entries'} in ${workspace} and its sessions`;
    if (entries > 0) say(dryRun ? `  - ${what}` : `✓ Given back: ${what}`);
    if (!complete)
      app.io.warn(`${workspace}: not all of it was looked at; a session may have begun meanwhile`);
  }
  if (rows.every(({ entries }) => entries === 0)) say('Nothing to give back.');
  else if (dryRun) say('[Dry run] No changes made.');
  if (json) app.io.printJson({ dry_run: dryRun, workspaces: rows });
}
