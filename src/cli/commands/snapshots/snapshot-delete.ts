// `coi snapshot delete`.

import { deleteSnapshot } from '../../../app/snapshots/actions.ts';
import { findSnapshot, snapshotReplaced, snapshotsOf } from '../../../app/snapshots/find.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';
import { type SnapshotOptions, selectContainer, yesPattern } from './snapshot-options.ts';

export async function remove(
  app: App,
  options: SnapshotOptions,
  name: string | undefined,
): Promise<void> {
  if (name === undefined && !options.all)
    throw new CoiError('usage', 'snapshot name required', { hint: 'Give a name, or use --all.' });
  const container = await selectContainer(app, options);
  const toDelete = options.all
    ? await snapshotsOf(app, container)
    : [await findSnapshot(app, container, name ?? '')];
  const printResult = (deleted: readonly string[]) => {
    if (options.json) app.io.printJson({ container: container.name, deleted });
  };
  if (toDelete.length === 0) {
    printResult([]);
    return app.io.info(`No snapshots to delete for ${container.name}`);
  }
  if (options.all && !options.force) {
    const question = `Delete ${toDelete.length} snapshot(s) of '${container.name}'?`;
    if (!(await app.io.confirm(question, yesPattern))) {
      printResult([]);
      return app.io.info('Aborted');
    }
  }
  const deleted: string[] = [];
  // Snapshots may have changed while the question was open.
  const now = await snapshotsOf(app, container);
  for (const one of toDelete) {
    const then = now.find(({ name: other }) => other === one.name);
    if (then?.created_at !== one.created_at) {
      app.io.warn(snapshotReplaced(one.name, container).message);
      continue;
    }
    await deleteSnapshot(app, container, one.name);
    deleted.push(one.name);
    app.io.info(`Deleted snapshot '${one.name}' from container '${container.name}'`);
  }
  printResult(deleted);
}
