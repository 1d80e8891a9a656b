// Files of coi in a session store, such as plugins (tools/tool.ts): the session may change them, and the next start writes
// them anew.
import { dirname } from 'node:path';
import type { Directory, HostFiles, Owner } from '../../host/fs/host-files.ts';

export interface OwnFileText {
  /** Relative to the home. */
  readonly path: string;
  readonly text: string;
}

/** Throws FileError if there is a directory of that name. */
export function writeOwnFile(
  session: Directory,
  { path, text }: OwnFileText,
  owner: Owner,
  files: HostFiles,
): void {
  const parent = dirname(path);
  const make = () => session.makeDirectory(parent, { owner });
  using _directory = (() => {
    try {
      return make();
    } catch (error) {
      if (!files.asFileError(error)) throw error;
      // The session may have put anything in its place; a link is not followed.
      session.unlink(parent);
      return make();
    }
  })();
  session.write(path, text, { owner, durable: false });
}
