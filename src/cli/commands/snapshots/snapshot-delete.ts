// coi snapshot delete.
import { anotherSnapshot, existing, snapshotsOf } from '../../../app/snapshots/find.ts';
import { dropSnapshot } from '../../../app/snapshots/take.ts';
import { CoiError } from '../../../errors.ts';
import type { App } from '../../app.ts';
import { chosen, type SnapshotOptions, yes } from './snapshot-options.ts';

export async function remove(
  app: App,
  options: SnapshotOptions,
  name: string | undefined,
): Promise<void> {
  if (name === undefined && !options.all)
    throw new CoiError('usage', 'snapshot name required', { hint: 'Or use --all.' });
  const container = await chosen(app, options);
  const doomed = options.all
    ? await snapshotsOf(app, container)
    : [await existing(app, container, name ?? '')];
  const answer = (deleted: readonly string[]) => {
    if (options.json) app.io.printJson({ container: container.name, deleted });
  };
  if (doomed.length === 0) {
    answer([]);
    return app.io.tell(`No snapshots to delete for ${container.name}`);
  }
  if (options.all && !options.force) {
    const question = `Delete ${doomed.length} snapshot(s) of '${container.name}'?`;
    if (!(await app.io.confirm(question, yes))) {
      answer([]);
      return app.io.tell('Aborted');
    }
  }
  const deleted: string[] = [];
  // The answer may have taken any time.
  const now = await snapshotsOf(app, container);
  for (const one of doomed) {
    const then = now.find(({ name: other }) => other === one.name);
    if (then?.created_at !== one.created_at) {
      app.io.warn(anotherSnapshot(one.name, container).message);
      continue;
    }
    await dropSnapshot(app, container, one.name);
    deleted.push(one.name);
    app.io.tell(`Deleted snapshot '${one.name}' from container '${container.name}'`);
  }
  answer(deleted);
}
