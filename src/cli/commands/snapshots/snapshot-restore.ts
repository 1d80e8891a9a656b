// coi snapshot restore.
import { anotherSnapshot, existing } from '../../../app/snapshots/find.ts';
import { restoreSnapshot } from '../../../app/snapshots/take.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';
import { chosen, type SnapshotOptions, yes } from './snapshot-options.ts';

export async function restore(app: App, options: SnapshotOptions, name: string): Promise<void> {
  const container = await chosen(app, options);
  const shown = await existing(app, container, name);
  const answer = (restored: boolean) => {
    if (options.json) app.io.printJson({ container: container.name, snapshot: name, restored });
  };
  if (container.status !== 'Stopped')
    throw new CoiError('failed', `container ${container.name} has to be stopped first`, {
      hint: container.session?.persistent
        ? `coi container stop ${container.name}`
        : `An ephemeral one is deleted when it stops: coi persist ${container.name} && coi container stop ${container.name}`,
    });
  if (!options.force) {
    app.io.tell(`What changed in '${container.name}' since snapshot '${name}' will be lost.`);
    if (!(await app.io.confirm('Restore it?', yes))) {
      answer(false);
      return app.io.tell('Aborted');
    }
    // The answer may have taken any time.
    if ((await existing(app, container, name)).created_at !== shown.created_at)
      throw anotherSnapshot(name, container);
  }
  await restoreSnapshot(app, container, name, options.stateful ?? false);
  app.io.tell(`Restored container '${container.name}' from snapshot '${name}'`);
  answer(true);
}
