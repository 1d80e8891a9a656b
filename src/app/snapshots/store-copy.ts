// Copies of a session's store: taken while nothing runs in its container, put back while it is stopped.
import { randomBytes } from 'node:crypto';
import { renameSync } from 'node:fs';
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { type CopyBudget, copyTree } from '../../host/fs/copy-tree.ts';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import { removeTree } from '../../host/fs/remove-tree.ts';
import { ownPlace } from '../../logins/place.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import { guarded } from '../../session/store/store.ts';
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

/** Copies each part into a directory of its name. Throws `store-unusable`; half a copy may be left then. */
export function copyParts(app: AppContext, parts: readonly MountRequest[], into: Directory): void {
  const budget = newBudget(app);
  guarded(hostFiles, () => {
    for (const { name, source } of parts) {
      using from = hostFiles.open(source);
      using to = into.makeDirectory(name);
      if (from) copyTree(from, to, budget);
    }
  });
}

/** Copies one directory's content into another. Throws `store-unusable`. */
export function copyInto(app: AppContext, from: string, to: Directory): void {
  guarded(hostFiles, () => {
    using source = hostFiles.open(from);
    if (source) copyTree(source, to, newBudget(app));
  });
}

/**
 * Puts the content of a part back from its copy; what was there goes only when the copy is in its place.
 * Throws `store-unusable`, with everything as it was.
 */
export async function putBack(app: AppContext, copy: string, part: MountRequest): Promise<void> {
  using place = hostFiles.open(part.source);
  using from = hostFiles.open(copy);
  if (!place || !from)
    throw new CoiError('store-unusable', `the copy of ${part.source} is missing: ${copy}`);
  const aside = `.coi-${randomBytes(8).toString('hex')}`;
  try {
    guarded(hostFiles, () => {
      using old = place.makeDirectory(aside);
      for (const { name } of [...place.entries()])
        if (name !== aside) renameSync(place.at(name), old.at(name));
      copyTree(from, place, newBudget(app));
    });
  } catch (error) {
    await undone(place, aside);
    throw error;
  }
  await removeTree(place, aside);
}

async function undone(place: Directory, aside: string): Promise<void> {
  using old = place.directory(aside);
  if (!old) return;
  for (const { name } of [...place.entries()]) if (name !== aside) await removeTree(place, name);
  for (const { name } of [...old.entries()]) renameSync(old.at(name), place.at(name));
  await removeTree(place, aside);
}

function newBudget(app: AppContext): CopyBudget {
  return {
    entriesLeft: entriesMax,
    bytesLeft: bytesMax,
    leftOut: (path, why) => app.report.warn(`${path} was left out: it ${why}`),
  };
}

/** `~/.coi/snapshots/<session>`, made where it is missing. */
export function snapshotStore(app: AppContext, session: string): Directory {
  const { home, uid, gid } = app.user;
  const owner = { uid, gid };
  return guarded(hostFiles, () => {
    using top = ownPlace(home, owner, hostFiles);
    if (!top) throw new CoiError('store-unusable', `the home directory ${home} does not exist`);
    return top.makeDirectory(`snapshots/${session}`, { owner });
  });
}
