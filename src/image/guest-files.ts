// Writes the guest files to where the build container or tar reads them.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GuestFile } from './recipe.ts';

/** Writes the files below `part` (default: all) to a directory, with their relative paths. */
export async function writeGuestFiles(
  files: readonly GuestFile[],
  to: string,
  part = '',
): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const { path, content } of files) {
    if (!path.startsWith(part)) continue;
    const target = join(to, path.slice(part.length));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode: 0o644 });
  }
}
