// Files that ship with the program: beside it, or inside it where coi is one executable file.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import sea from 'node:sea';

/** Where the guest's files are from here: in dist/ once bundled, else in the source tree, those of images first. */
const places = ['guest', '../../image/guest', '../../session/guest'];

/** One of the guest's files: its path below guest/, and what is in it. */
export interface ShippedFile {
  readonly path: string;
  readonly content: Buffer;
}

/** The asset that lists the others: scripts/release-binary.ts writes it. */
const listAsset = 'files.json';

/** The text of a guest script. Throws if the installation is incomplete. */
export function guestScript(name: string): string {
  if (sea.isSea()) return sea.getAsset(`guest/${name}`, 'utf8');
  for (const place of places) {
    try {
      return readFileSync(join(import.meta.dirname, place, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`the file ${name} of this installation is missing`);
}

/** The command of run.sh, which runs what it is handed on stdin, in a directory of the guest. */
export function runnerIn(directory: string): string[] {
  return ['sh', '-c', guestScript('run.sh'), 'coi-run', directory];
}

/** All files that an image is built with. Throws if the installation is incomplete. */
export function guestFiles(): ShippedFile[] {
  if (sea.isSea()) {
    const paths = JSON.parse(sea.getAsset(listAsset, 'utf8')) as string[];
    return paths.map((path) => ({
      path,
      content: Buffer.from(sea.getAsset(`guest/${path}`)),
    }));
  }
  for (const place of places) {
    const directory = join(import.meta.dirname, place);
    const found = filesBelow(directory);
    if (found) return found;
  }
  throw new Error('the files for the image are missing beside the program');
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
