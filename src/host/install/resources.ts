// Files that ship with the program: next to it, or embedded if coi is a single executable.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import sea from 'node:sea';

/** Directories of the guest files relative to this one: in dist/ after bundling, else in the source tree, images first. */
const guestDirectories = ['guest', '../../image/guest', '../../session/guest'];

/** A guest file: its path below guest/ and its content. */
export interface ShippedFile {
  readonly path: string;
  readonly content: Buffer;
}

/** The asset that lists the others; written by scripts/release-binary.ts. */
const listAsset = 'files.json';

/** The text of a guest script. Throws if the installation is incomplete. */
export function guestScript(name: string): string {
  if (sea.isSea()) return sea.getAsset(`guest/${name}`, 'utf8');
  for (const place of guestDirectories) {
    try {
      return readFileSync(join(import.meta.dirname, place, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`the file ${name} of this installation is missing`);
}

/** The command for run.sh, which runs the command from its stdin in a directory of the guest. */
export function runnerCommand(directory: string): string[] {
  return ['sh', '-c', guestScript('run.sh'), 'coi-run', directory];
}

/** All files for building an image. Throws if the installation is incomplete. */
export function guestFiles(): ShippedFile[] {
  if (sea.isSea()) {
    const paths = JSON.parse(sea.getAsset(listAsset, 'utf8')) as string[];
    return paths.map((path) => ({
      path,
      content: Buffer.from(sea.getAsset(`guest/${path}`)),
    }));
  }
  for (const place of guestDirectories) {
    const directory = join(import.meta.dirname, place);
    const found = filesBelow(directory);
    if (found) return found;
  }
  throw new Error('the image files of this installation are missing');
}

function filesBelow(directory: string): ShippedFile[] | undefined {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path: relative(directory, path), content: readFileSync(path) }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
