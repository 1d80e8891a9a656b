// Files that ship with the program: scripts for the guest.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** In the bundle this file is dist/main.js or dist/chunks/*.js; in the source tree it is src/host/. */
const places = ['guest', '../guest', '../session/guest', '../image/guest'];

/** The text of a guest script. Throws if the installation is incomplete. */
export function guestScript(name: string): string {
  for (const place of places) {
    try {
      return readFileSync(join(import.meta.dirname, place, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`the file ${name} of this installation is missing`);
}
