// The files in which an agent's processes say what they do (tools/tool.ts).
import { basename, dirname } from 'node:path';
import type { Directory, HostFiles } from '../../host/fs/host-files.ts';
import type { Tool } from '../../tools/tool.ts';

/** Forgets what earlier processes of the agent said about themselves: their process ids may be in use again. */
export function clearRegistry(session: Directory, tool: Tool, files: HostFiles): void {
  const { registry, statusDir } = tool;
  for (const dir of [registry?.dir, statusDir])
    if (dir !== undefined) clearDirectory(session, dir, files);
}

function clearDirectory(session: Directory, dir: string, files: HostFiles): void {
  try {
    using directory = session.openDirectory(dir);
    if (!directory) return;
    const left = [...directory.entries()].filter(({ kind }) => kind !== 'directory');
    for (const { name } of left) unlinkIfPossible(directory, name, files);
    using parent = session.openDirectory(dirname(dir));
    parent?.removeEmpty(basename(dir));
  } catch (error) {
    // A container can leave anything there; then nothing can be read from it either.
    if (!files.asFileError(error)) throw error;
  }
}

/** One file that cannot be removed must not keep the others. */
function unlinkIfPossible(directory: Directory, name: string, files: HostFiles): void {
  try {
    directory.unlink(name);
  } catch (error) {
    if (!files.asFileError(error)) throw error;
  }
}
