// What is kept of sessions that have ended: from which files rights were taken, and whether all was looked at.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { SetIdFile } from '../host/set-id.ts';
import type { EndedSession } from './protocol.ts';

export interface Sweep {
  readonly found: readonly SetIdFile[];
  readonly count: number;
  /** Sources that were not looked at: something else is there now. */
  readonly unseen: readonly string[];
  readonly complete: boolean;
}

export interface Remembered extends EndedSession {
  /** Of its mounts; a coid of before did not write it. */
  readonly id?: string;
  readonly owner: number;
  readonly workspace: string;
}

/** What is known of one before it was looked at. */
export type Ended = Omit<Remembered, 'stripped' | 'strippedCount' | 'unseen' | 'complete'> & {
  readonly id: string;
};

const sessionsMax = 300;
const guardedMax = 10;
/** Names that are kept of one session, and of how many characters: the agent has made them. */
const namesMax = 100;
const nameMax = 1024;

export class EndedSessions {
  readonly #path: string;
  #all: readonly Remembered[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  load(): void {
    this.#all = readJson<Remembered[]>(this.#path) ?? [];
  }

  get all(): readonly Remembered[] {
    return this.#all;
  }

  /** A session of which not all was looked at yet. A kept container has the same id each time it runs. */
  unfinished(id: string): Remembered | undefined {
    return this.#all.find((one) => one.id === id && one.complete === false);
  }

  /** Adds what one more sweep of a session found to what is known of it. */
  add(about: Ended, sweep: Sweep): void {
    const before = this.unfinished(about.id);
    const found = [...(before?.stripped ?? []), ...sweep.found.map(shortened)];
    const session: Remembered = {
      ...about,
      endedAt: before?.endedAt ?? about.endedAt,
      stripped: found.slice(0, namesMax),
      strippedCount: (before?.strippedCount ?? 0) + sweep.count,
      unseen: sweep.unseen,
      complete: sweep.complete,
    };
    const all = before
      ? this.#all.map((one) => (one === before ? session : one))
      : [...this.#all, session];
    this.#all = remembered(all);
    // As a whole: what is known of the others must not be lost with a coid that is killed meanwhile.
    const fresh = `${this.#path}.new`;
    writeFileSync(fresh, JSON.stringify(this.#all), { mode: 0o600 });
    renameSync(fresh, this.#path);
  }
}

/** Of the last sessions of each workspace also what was guarded, which may be long. */
function remembered(all: readonly Remembered[]): Remembered[] {
  const counts = new Map<string, number>();
  return all
    .slice(-sessionsMax)
    .toReversed()
    .map((one) => {
      const count = (counts.get(one.workspace) ?? 0) + 1;
      counts.set(one.workspace, count);
      return count <= guardedMax ? one : { ...one, guarded: undefined };
    })
    .toReversed();
}

function shortened(file: SetIdFile): SetIdFile {
  return file.path.length <= nameMax ? file : { ...file, path: `${file.path.slice(0, nameMax)}…` };
}

export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
