// `coi snapshot restore`.

import { restoreSnapshot } from '../../../app/snapshots/actions.ts';
import { findSnapshot, snapshotReplaced } from '../../../app/snapshots/find.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';
import { type SnapshotOptions, selectContainer, yesPattern } from './snapshot-options.ts';

export async function restore(app: App, options: SnapshotOptions, name: string): Promise<void> {
  const container = await selectContainer(app, options);
  const shown = await findSnapshot(app, container, name);
  const printResult = (restored: boolean) => {
    if (options.json) app.io.printJson({ container: container.name, snapshot: name, restored });
  };
  if (container.status !== 'Stopped')
    throw new CoiError('failed', `container ${container.name} must be stopped first`, {
      hint: container.session?.persistent
        ? `Run coi container stop ${container.name}`
        : `Persist it first, or stopping deletes it: coi persist ${container.name} && coi container stop ${container.name}`,
    });
  if (!options.force) {
    app.io.info(`Changes in '${container.name}' since snapshot '${name}' will be lost.`);
    if (!(await app.io.confirm('Restore it?', yesPattern))) {
      printResult(false);
      return app.io.info('Aborted');
    }
    // The snapshot may have changed while the question was open.
    if ((await findSnapshot(app, container, name)).created_at !== shown.created_at)
      throw snapshotReplaced(name, container);
  }
  await restoreSnapshot(app, container, name, options.stateful ?? false);
  app.io.info(`Restored container '${container.name}' from snapshot '${name}'`);
  printResult(true);
}
