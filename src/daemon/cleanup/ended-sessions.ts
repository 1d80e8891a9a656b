// Records of ended sessions: which files were stripped of rights, and whether the search was complete.
import * as z from 'zod/mini';
import type { EndedSession } from '../../coid-api/ended-protocol.ts';
import type { SetIdFile } from '../../host/fs/meta/set-id-files.ts';
import { readState, type StateShape, writeState } from '../state-file.ts';

export interface Sweep {
  readonly found: readonly SetIdFile[];
  readonly count: number;
  /** Sources that were not searched: something else is there now. */
  readonly unseen: readonly string[];
  readonly complete: boolean;
}

export interface EndedRecord extends EndedSession {
  /** Mounts id; an older coid did not save it. */
  readonly id?: string;
  readonly owner: number;
  readonly workspace: string;
}

/** An ended session before the search. */
export type EndedSummary = Omit<
  EndedRecord,
  'stripped' | 'strippedCount' | 'unseen' | 'complete'
> & {
  readonly id: string;
};

const sessionsMax = 300;
const guardedMax = 10;
/** Limits on the number and length of file names, which the agent controls. */
const namesMax = 100;
const nameMax = 1024;

export class EndedSessions {
  readonly #path: string;
  #all: readonly EndedRecord[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  load(): void {
    this.#all = readState(this.#path, shape) ?? [];
  }

  get all(): readonly EndedRecord[] {
    return this.#all;
  }

  /** A session with an incomplete search. A persistent container has the same id in each run. */
  unfinished(id: string): EndedRecord | undefined {
    return this.#all.find((one) => one.id === id && one.complete === false);
  }

  /** Adds the result of another sweep to a session's record. */
  add(about: EndedSummary, sweep: Sweep): void {
    const before = this.unfinished(about.id);
    const found = [...(before?.stripped ?? []), ...sweep.found.map(shortenPath)];
    const session: EndedRecord = {
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
    this.#all = limitRecords(all);
    // Written atomically, so that a kill of coid does not lose the other records.
    writeState(this.#path, JSON.stringify(this.#all), { flush: false });
  }
}

/** Keeps the guarded paths, which may be long, only for the last sessions of each workspace. */
function limitRecords(all: readonly EndedRecord[]): EndedRecord[] {
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

function shortenPath(file: SetIdFile): SetIdFile {
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
) as unknown as StateShape<EndedRecord[]>;
