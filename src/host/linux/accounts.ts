// Home directories of the people on this host, from its password file.
import { readFileSync, realpathSync, statSync } from 'node:fs';

const file = '/etc/passwd';
/** The first uid of people (login.defs(5)); 1 to 999 are services. */
const firstPersonUid = 1000;
const nobodyUid = 65_534;

/** Rereads the file only when it has changed. */
export class Homes {
  #stamp = '';
  #homes: readonly string[] = [];

  /** With links resolved; includes root's home. */
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

/** The homes of root and of people in the text of passwd(5). */
export function homesIn(passwd: string): string[] {
  return accountsIn(passwd).flatMap(({ uid, home }) => {
    const person = uid === 0 || (uid >= firstPersonUid && uid !== nobodyUid);
    return person && home.startsWith('/') && home !== '/' ? [home.replace(/(.)\/+$/, '$1')] : [];
  });
}

/** The home directory of an account; undefined if there is none. */
export function homeOf(uid: number): string | undefined {
  return accountsIn(readFileSync(file, 'utf8')).find((account) => account.uid === uid)?.home;
}

function accountsIn(passwd: string): { readonly uid: number; readonly home: string }[] {
  return passwd.split('\n').map((line) => {
    const fields = line.split(':');
    return { uid: Number(fields[2] || Number.NaN), home: fields[5] ?? '' };
  });
}

/** Resolves links; a path that does not exist stays as it is. */
export function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
