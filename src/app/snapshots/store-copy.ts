// Copies of a session store: made while nothing runs in its container, restored while it is stopped.
import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { type CopyBudget, copyTree } from '../../host/fs/copy-tree.ts';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import { removeTree } from '../../host/fs/remove-tree.ts';
import { openCoiDirectory } from '../../logins/coi-directory.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import { withStoreErrors } from '../../session/store/store.ts';
import type { AppContext } from '../context.ts';

const entriesMax = 200_000;
const bytesMax = 8 * 2 ** 30;

/** The directories of the host that hold the session's conversation, as its container mounts them. */
export function storeParts(app: AppContext, { mounts, session }: SessionRecord): MountRequest[] {
  return mounts.mounts.filter(
    ({ name, source }) =>
      /^state-\d+$/.test(name) &&
      source.startsWith(`${app.user.home}/.coi/`) &&
      source.includes(`/${session}/`) &&
      !source.split('/').includes('..'),
  );
}

/** Copies each part into a directory of its name. Throws `store-unusable`; an incomplete copy may be left then. */
export function copyParts(app: AppContext, parts: readonly MountRequest[], into: Directory): void {
  const budget = newBudget(app);
  withStoreErrors(hostFiles, () => {
    for (const { name, source } of parts) {
      using from = hostFiles.open(source);
      using to = into.makeDirectory(name);
      if (from) copyTree(from, to, budget);
    }
  });
}

/** Copies one directory's content into another. Throws `store-unusable`. */
export function copyInto(app: AppContext, from: string, to: Directory): void {
  withStoreErrors(hostFiles, () => {
    using source = hostFiles.open(from);
    if (source) copyTree(source, to, newBudget(app));
  });
}

/**
 * Restores the content of a part from its copy; the old content is removed only after that.
 * Throws `store-unusable` without changing anything.
 */
export async function restorePart(
  app: AppContext,
  copy: string,
  part: MountRequest,
): Promise<void> {
  using target = hostFiles.open(part.source);
  using from = hostFiles.open(copy);
  if (!target || !from)
    throw new CoiError('store-unusable', `the copy of ${part.source} is missing: ${copy}`);
  const aside = `.coi-${randomBytes(8).toString('hex')}`;
  try {
    withStoreErrors(hostFiles, () => {
      using old = target.makeDirectory(aside);
      for (const { name } of [...target.entries()])
        if (name !== aside) renameSync(target.fdPath(name), old.fdPath(name));
      copyTree(from, target, newBudget(app));
    });
  } catch (error) {
    await undoRestore(target, aside);
    throw error;
  }
  await removeTree(target, aside);
}

async function undoRestore(target: Directory, aside: string): Promise<void> {
  using old = target.openDirectory(aside);
  if (!old) return;
  for (const { name } of [...target.entries()]) if (name !== aside) await removeTree(target, name);
  for (const { name } of [...old.entries()]) renameSync(old.fdPath(name), target.fdPath(name));
  await removeTree(target, aside);
}

function newBudget(app: AppContext): CopyBudget {
  return {
    entriesLeft: entriesMax,
    bytesLeft: bytesMax,
    leftOut: (path, why) => app.report.warn(`${path} was left out: it ${why}`),
  };
}

/** `~/.coi/snapshots/<session>`, created if missing. */
export function snapshotStore(app: AppContext, session: string): Directory {
  const { home, uid, gid } = app.user;
  const owner = { uid, gid };
  return withStoreErrors(hostFiles, () => {
    using top = openCoiDirectory(home, owner, hostFiles);
    if (!top) throw new CoiError('store-unusable', `the home directory ${home} does not exist`);
    return top.makeDirectory(`snapshots/${session}`, { owner });
  });
}
