// ~/.coi, which may be a link of the user's to another directory. No container can write there.
import type { Directory, HostFiles, Owner } from '../host/fs/host-files.ts';

/** Opens `~/.coi` and creates it if it is missing; undefined if there is no home. Throws FileError. */
export function openCoiDirectory(
  home: string,
  owner: Owner,
  files: HostFiles,
): Directory | undefined {
  const existing = files.open(`${home}/.coi`);
  if (existing) return existing;
  using user = files.open(home);
  return user?.makeDirectory('.coi', { owner });
}
