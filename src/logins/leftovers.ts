// Removes temporary files, which contain logins, of login syncs that were killed.
import { dirname } from 'node:path';
import type { HostFiles, Owner } from '../host/fs/host-files.ts';
import type { LoginFile } from './formats/login.ts';
import { memoryPath } from './memory.ts';
import type { SessionStores } from './session-stores.ts';

interface LeftoverRequest {
  readonly file: LoginFile;
  readonly home: string;
  readonly owner: Owner;
  readonly live: readonly string[];
  readonly ended: readonly string[];
}

/** True if the user's directories contain some that may still be in use: a start does not wait for a login sync. */
export function removeLeftovers(
  { file, home, owner, live, ended }: LeftoverRequest,
  stores: SessionStores,
  { files, nowMs }: { files: HostFiles; nowMs: number },
): boolean {
  for (const session of [...live, ...ended])
    unlessRefused(files, () => {
      using directory = stores.of(session)?.openDirectory(dirname(file.path));
      return directory !== undefined && files.removeLeftovers(directory, owner, nowMs);
    });
  const own = [
    file.path,
    `.coi/${memoryPath(file.tool)}`,
    ...(file.account ? [file.account.host] : []),
  ];
  return own
    .map((path) =>
      unlessRefused(files, () => files.removeUserLeftovers(home, path, { owner, nowMs })),
    )
    .includes(true);
}

/** Errors are ignored: a leftover that cannot be removed must not block the sync. */
function unlessRefused(files: HostFiles, effect: () => boolean): boolean {
  try {
    return effect();
  } catch (error) {
    if (!files.asFileError(error)) throw error;
    return false;
  }
}
