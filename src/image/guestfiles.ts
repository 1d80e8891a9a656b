// Where the guest's scripts and files are: beside this file in the sources, in dist/guest once bundled.
import { cp, readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GuestFile } from './recipe.ts';

/** The directory of the scripts. */
export async function guestDirectory(): Promise<string> {
  for (const place of ['./guest/', '../guest/']) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if ((await stat(path).catch(() => undefined))?.isDirectory()) return path;
  }
  throw new Error('the files for the image are missing beside the program');
}

/** All files below it, with paths relative to it. */
export async function guestFiles(directory: string): Promise<GuestFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.map(async (path) => ({ path: relative(directory, path), content: await readFile(path) })),
  );
}

export async function copyGuestFiles(directory: string, to: string): Promise<void> {
  await cp(directory, to, { recursive: true });
}
