// Home directories of the people on this host, as its password file has them.
import { readFileSync, realpathSync, statSync } from 'node:fs';

const file = '/etc/passwd';
/** Ids of people (login.defs(5)); those between 1 and 999 are services. */
const firstPersonUid = 1000;
const nobodyUid = 65_534;

/** Reads the file anew only when it has changed. */
export class Homes {
  #stamp = '';
  #homes: readonly string[] = [];

  /** Without links, root's among them. */
  list(): readonly string[] {
    const { mtimeMs, size, ino } = statSync(file);
    const stamp = `${mtimeMs} ${size} ${ino}`;
    if (stamp !== this.#stamp) {
      this.#homes = [...new Set(homesIn(readFileSync(file, 'utf8')).map(withoutLinks))];
      this.#stamp = stamp;
    }
    return this.#homes;
  }
}

/** The homes in the text of a password file (passwd(5)), of root and of people. */
export function homesIn(passwd: string): string[] {
  return passwd.split('\n').flatMap((line) => {
    const fields = line.split(':');
    const uid = Number(fields[2] || Number.NaN);
    const home = fields[5] ?? '';
    const person = uid === 0 || (uid >= firstPersonUid && uid !== nobodyUid);
    return person && home.startsWith('/') && home !== '/' ? [home.replace(/(.)\/+$/, '$1')] : [];
  });
}

/** A home that is not there (yet) keeps its name. */
export function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
