// Deletes one ended item, if it is still the same as when it was listed.
import { removeTreeAt } from '../../host/fs/remove-tree.ts';
import { deleteStopped } from '../../session/lifecycle/end-container.ts';
import type { Cleanable } from '../../session/store/cleanable.ts';
import { isStillCleanable } from '../../session/store/cleanable.ts';
import type { AppContext } from '../context.ts';

export async function cleanItem(
  app: AppContext,
  item: Cleanable,
  now: readonly Cleanable[],
): Promise<boolean> {
  const left = (why: string) => {
    app.report.warn(`${item.about}: ${why} since it was listed, so it is left alone`);
    return false;
  };
  if (!isStillCleanable(item, now))
    return left(item.kind === 'container' ? 'it was changed or started' : 'it was resumed');
  try {
    if (item.kind === 'session') await removeTreeAt(item.dir, { shred: true });
    else if ((await deleteStopped(await app.incus(), item.ref, app.signal)) === 'runs')
      return left('it was started');
    return true;
  } catch (error) {
    app.report.warn(`${item.about}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
