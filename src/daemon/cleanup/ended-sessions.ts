// What is kept of sessions that have ended: from which files rights were taken, and whether all was looked at.
import * as z from 'zod/mini';
import type { EndedSession } from '../../coid-api/ended-protocol.ts';
import type { SetIdFile } from '../../host/fs/meta/set-id-files.ts';
import { readState, type StateShape, writeState } from '../state-file.ts';

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
    this.#all = readState(this.#path, shape) ?? [];
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
    writeState(this.#path, JSON.stringify(this.#all), { flush: false });
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

const shape = z.array(
  z.looseObject({
    container: z.string(),
    workspace: z.string(),
    owner: z.number(),
    startedAt: z.string(),
    endedAt: z.string(),
    stripped: z.array(z.looseObject({ path: z.string() })),
  }),
) as unknown as StateShape<Remembered[]>;
