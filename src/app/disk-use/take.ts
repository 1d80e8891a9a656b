// Deletes one thing that was listed as safe. Any time may have gone by since, so it is looked at once more, by its name and by
// what it is: what was changed, used or replaced meanwhile is left.
import { basename, dirname } from 'node:path';
import { hostFiles } from '../../host/fs/host-files.ts';
import { measureTree, treeId } from '../../host/fs/meta/measure-tree.ts';
import { removeTree } from '../../host/fs/remove-tree.ts';
import { deleteStopped } from '../../session/lifecycle/end-container.ts';
import { isMissing } from '../../session/lifecycle/incus-failure.ts';
import type { Cleanable } from '../../session/store/cleaning.ts';
import type { AppContext } from '../context.ts';
import { type DiskUseRequest, imageLook, orphans } from './look.ts';
import { type DiskUse, imagesUse, type Taking } from './uses.ts';

const deleteMs = 120_000;

/** Why it is left; undefined where it is gone. */
type Left = string | undefined;

/** True if it is gone. `listed`: what the list was made from. */
export async function taken(
  app: AppContext,
  request: DiskUseRequest,
  { take, name }: DiskUse,
  listed: readonly Cleanable[],
): Promise<boolean> {
  if (!take) return false;
  try {
    const left = await takenAs(app, request, take, listed);
    if (left !== undefined)
      app.report.warn(`${name}: ${left} since it was listed, so it is left alone`);
    return left === undefined;
  } catch (error) {
    if (isMissing(error)) return true;
    app.signal.throwIfAborted();
    app.report.warn(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function takenAs(
  app: AppContext,
  request: DiskUseRequest,
  take: Taking,
  listed: readonly Cleanable[],
): Promise<Left> {
  switch (take.kind) {
    case 'image':
      return imageTaken(app, request, take);
    case 'container': {
      const found = (await orphans(app, request)).some(
        (item) => item.kind === 'container' && isSame(item.ref, take.ref),
      );
      if (!found) return 'it was started, kept or replaced';
      const removed = await deleteStopped(await app.incus(), take.ref, app.signal);
      return removed === 'runs' ? 'it was started' : undefined;
    }
    case 'directory': {
      if (take.what === 'leftover') {
        const before = listed.find((item) => item.kind === 'session' && item.dir === take.path);
        const now = await orphans(app, request);
        if (!now.some((item) => isSame(item, before))) return 'it was changed or resumed';
      }
      return directoryTaken(take);
    }
  }
}

async function imageTaken(
  app: AppContext,
  request: DiskUseRequest,
  take: Taking & { kind: 'image' },
): Promise<Left> {
  const look = await imageLook(app, request);
  const image = look.images.find(({ fingerprint }) => fingerprint === take.fingerprint);
  if (!image) return undefined;
  if (look.used.has(take.fingerprint)) return 'a container was made from it';
  const names = image.aliases.map(({ name }) => name).sort();
  if (!isSame(names, take.aliases)) return 'it got another name';
  if (!imagesUse(look).some((use) => use.take && isSame(use.take, take)))
    return 'it was used, or something names it';
  const deletion = await (await app.incus()).deleteImage(take.fingerprint);
  await deletion.wait({ timeoutMs: deleteMs });
  return undefined;
}

/** In the directory that was opened: whoever exchanges a name meanwhile exchanges it for nothing. */
async function directoryTaken({
  path,
  id,
  newestMs,
}: Taking & { kind: 'directory' }): Promise<Left> {
  using above = hostFiles.open(dirname(path));
  const entry = above?.entry(basename(path));
  if (!above || !entry) return undefined;
  if (entry.kind !== 'directory' || treeId(entry.stat) !== id)
    return 'something else took its place';
  if (newestMs !== undefined && measureTree(path)?.newestMs !== newestMs)
    return 'something in it was changed';
  await removeTree(above, basename(path), { shred: true });
  return undefined;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
