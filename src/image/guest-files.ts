// Writes the files that an image is built with where the build's container or tar finds them.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { GuestFile } from './recipe.ts';

/** Writes those below `part` (all by default) into a directory, with their paths from there. */
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
