// Where coi keeps what it remembers: ~/.coi, which the user may keep elsewhere, as a link. No container can write there.
import { type Directory, FileError, type HostFiles, type Owner } from '../host/files.ts';

/** `~/.coi`, made where it is missing. Throws FileError. */
export function ownPlace(home: string, owner: Owner, files: HostFiles): Directory {
  const existing = files.open(`${home}/.coi`);
  if (existing) return existing;
  using user = files.open(home);
  if (!user) throw new FileError('failed', home, 'does not exist');
  return user.makeDirectory('.coi', { owner });
}
