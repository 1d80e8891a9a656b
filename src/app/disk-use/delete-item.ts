// Deletes one item that was listed as safe. It is checked again, by name and identity, because it may have been changed,
// used or replaced since; then it is kept.
import { basename, dirname } from 'node:path';
import { hostFiles } from '../../host/fs/host-files.ts';
import { measureTree, treeId } from '../../host/fs/meta/measure-tree.ts';
import { removeTree } from '../../host/fs/remove-tree.ts';
import { deleteStopped } from '../../session/lifecycle/end-container.ts';
import { isMissing } from '../../session/lifecycle/incus-failure.ts';
import type { Cleanable } from '../../session/store/cleanable.ts';
import type { AppContext } from '../context.ts';
import { type DiskUseRequest, imageFacts, orphans } from './queries.ts';
import { type Deletion, type DiskUse, imagesUse } from './uses.ts';

const deleteMs = 120_000;

/** Why it was kept; undefined if it is gone. */
type KeepReason = string | undefined;

/** Returns whether it is gone. `listed`: the items that were listed. */
export async function deleteItem(
  app: AppContext,
  request: DiskUseRequest,
  { take, name }: DiskUse,
  listed: readonly Cleanable[],
): Promise<boolean> {
  if (!take) return false;
  try {
    const left = await deleteByKind(app, request, take, listed);
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

async function deleteByKind(
  app: AppContext,
  request: DiskUseRequest,
  take: Deletion,
  listed: readonly Cleanable[],
): Promise<KeepReason> {
  switch (take.kind) {
    case 'image':
      return deleteImage(app, request, take);
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
      return deleteDirectory(take);
    }
  }
}

async function deleteImage(
  app: AppContext,
  request: DiskUseRequest,
  take: Deletion & { kind: 'image' },
): Promise<KeepReason> {
  const facts = await imageFacts(app, request);
  const image = facts.images.find(({ fingerprint }) => fingerprint === take.fingerprint);
  if (!image) return undefined;
  if (facts.used.has(take.fingerprint)) return 'a container was made from it';
  const names = image.aliases.map(({ name }) => name).sort();
  if (!isSame(names, take.aliases)) return 'it got another name';
  if (!imagesUse(facts).some((use) => use.take && isSame(use.take, take)))
    return 'it was used, or something names it';
  const operation = await (await app.incus()).deleteImage(take.fingerprint);
  await operation.wait({ timeoutMs: deleteMs });
  return undefined;
}

/** Works in the opened directory, so that replacing a path meanwhile has no effect. */
async function deleteDirectory({
  path,
  id,
  newestMs,
}: Deletion & { kind: 'directory' }): Promise<KeepReason> {
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
