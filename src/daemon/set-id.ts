// Finds what sessions made setuid, setgid or gave capabilities in what they could write: now and then while they run,
// and at their end, when it is taken away. What is to be looked at is in <state dir>/set-id/, so that no crash loses it.
import { closeSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Libc } from '../host/libc.ts';
import type { Peer } from '../host/peer.ts';
import { type SetIdFile, setIdFiles } from '../host/set-id.ts';
import type { Instance } from '../incus/shapes.ts';
import { sessionRecord } from '../session/record.ts';
import { guardedPaths } from './guarded-paths.ts';
import type { Log } from './log.ts';
import type { MountRoots } from './mount-roots.ts';
import { isTreeId } from './mount-trees.ts';
import type { EndedReply, EndedRequest, EndedSession, MountRecord } from './protocol.ts';

export interface SetIdParts {
  readonly libc: Libc;
  readonly roots: Pick<MountRoots, 'reopened'>;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Between two looks at what runs. */
  readonly lookEveryMs: number;
  /** A running session made such a file. */
  readonly found: (mounts: string, path: string) => void;
}

/** A session that runs, or has ended and was not looked at since. */
interface Note {
  readonly id: string;
  readonly container: string;
  readonly ownerUid: number;
  readonly ownerGid: number;
  readonly workspace: string;
  /** What it can write. */
  readonly sources: readonly string[];
  readonly sinceMs: number;
  /** Paths that were guarded when it began; an earlier coid did not write them down. */
  readonly guarded?: readonly string[] | undefined;
}

/** What is kept of one that has ended. */
interface Remembered extends EndedSession {
  readonly owner: number;
  readonly workspace: string;
}

/** Clocks of the kernel and of Incus may differ by a moment, and to look at a file too many costs nothing. */
const earlierMs = 2000;
const rememberedMax = 300;
const guardedMax = 10;
/** Until an end that was just seen elsewhere is seen here. */
const waitMs = 3000;
const waitStepMs = 25;

/** Looking may take one part in that many of the time. */
const share = 25;

export class SetIds {
  readonly #parts: SetIdParts;
  readonly #directory: string;
  readonly #notes = new Map<string, Note>();
  readonly #ending = new Map<string, Promise<void>>();
  readonly #told = new Set<string>();
  #ended: readonly Remembered[] = [];
  #running: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SetIdParts) {
    this.#parts = parts;
    this.#directory = join(parts.stateDir, 'set-id');
  }

  /** Takes over what an earlier coid had noted. */
  load(): void {
    mkdirSync(this.#directory, { mode: 0o700, recursive: true });
    for (const name of readdirSync(this.#directory)) {
      if (name === endedName) continue;
      const note = readJson<Note>(join(this.#directory, name));
      if (note && isTreeId(note.id) && Array.isArray(note.sources)) this.#notes.set(note.id, note);
      else rmSync(join(this.#directory, name), { force: true });
    }
    this.#ended = readJson<Remembered[]>(join(this.#directory, endedName)) ?? [];
  }

  /** A session is about to begin: it may have ended before anybody sees it run. */
  begin(mounts: MountRecord, container: string, workspace: string): void {
    this.#note(mounts, container, workspace, this.#parts.now().getTime());
  }

  /** Of the mounts of those that are not done. */
  ids(): readonly string[] {
    return [...this.#notes.keys()];
  }

  /** It did not begin after all. */
  forget(id: string): void {
    this.#notes.delete(id);
    rmSync(join(this.#directory, id), { force: true });
  }

  /** Called at each look with all instances and the ids of reservations. Begins what can be done; does not wait for it. */
  follow(instances: readonly Instance[], reserved: ReadonlySet<string>): void {
    const running = new Set<string>();
    for (const instance of instances) {
      const record = sessionRecord(instance.config);
      if (!record || record.mounts.runDir !== this.#parts.runDir) continue;
      if (instance.status === 'Stopped' || !isTreeId(record.mounts.id)) continue;
      running.add(record.mounts.id);
      if (this.#notes.has(record.mounts.id)) continue;
      const { mounts, workspace } = record;
      this.#note(mounts, instance.name, workspace, startOf(instance));
    }
    for (const { id } of this.#notes.values())
      if (!running.has(id) && !reserved.has(id)) void this.settled(id);
    this.#running = running;
    this.#lookLater(this.#parts.lookEveryMs);
  }

  /** Resolves when nothing of that ended session is left. */
  settled(id: string): Promise<void> {
    const note = this.#notes.get(id);
    const known = this.#ending.get(id);
    if (known || !note) return known ?? Promise.resolve();
    const work = this.#end(note)
      .catch((error: unknown) => this.#parts.log('warning', 'set-id-failed', { id, error }))
      .finally(() => this.#ending.delete(id));
    this.#ending.set(id, work);
    return work;
  }

  /** Those of the peer's in a workspace, the latest first. Waits a moment for the end of that container. */
  async ended({ workspace, container }: EndedRequest, peer: Peer): Promise<EndedReply> {
    const { elapsedMs, signal } = this.#parts;
    const limitMs = elapsedMs() + waitMs;
    const isOpen = () => [...this.#notes.values()].some((note) => note.container === container);
    while (isOpen() && elapsedMs() < limitMs) await delay(waitStepMs, undefined, { signal });
    const isTheirs = (owner: number) => peer.uid === 0 || peer.uid === owner;
    return {
      sessions: this.#ended
        .filter((one) => one.workspace === workspace && isTheirs(one.owner))
        .map(({ owner: _, workspace: __, ...session }) => session)
        .toReversed(),
      open: [...this.#notes.values()]
        .filter((note) => note.workspace === workspace && isTheirs(note.ownerUid))
        .map(({ container: name, sinceMs, guarded }) => ({
          container: name,
          startedAt: new Date(sinceMs).toISOString(),
          guarded,
        })),
    };
  }

  #note(mounts: MountRecord, container: string, workspace: string, startedMs: number): void {
    const note: Note = {
      id: mounts.id,
      container,
      ownerUid: mounts.ownerUid,
      ownerGid: mounts.ownerGid,
      workspace,
      sources: mounts.mounts.filter(({ readonly }) => !readonly).map(({ source }) => source),
      sinceMs: startedMs,
      guarded: guardedPaths(this.#parts.stateDir, mounts.id),
    };
    this.#notes.set(note.id, note);
    writeFileSync(join(this.#directory, note.id), JSON.stringify(note), { mode: 0o600 });
  }

  async #end(note: Note): Promise<void> {
    const unseen: string[] = [];
    const files = await this.#search(note, true, (source) => unseen.push(source));
    const { container, ownerUid: owner, workspace } = note;
    const startedAt = new Date(note.sinceMs).toISOString();
    const endedAt = this.#parts.now().toISOString();
    const { guarded } = note;
    const what = { stripped: files, unseen, guarded };
    const ended = { container, startedAt, endedAt, ...what, owner, workspace };
    this.#ended = remembered([...this.#ended, ended]);
    const path = join(this.#directory, endedName);
    writeFileSync(path, JSON.stringify(this.#ended), { mode: 0o600 });
    this.forget(note.id);
    if (files.length > 0)
      this.#parts.log('warning', 'set-id-stripped', { container, count: files.length });
  }

  /** Paths are absolute. A source that is not what was mounted (any more) is left alone, and told. */
  async #search(
    note: Note,
    strip: boolean,
    unseen: (source: string) => void = () => {},
  ): Promise<SetIdFile[]> {
    const { libc, log, roots, signal } = this.#parts;
    const all: SetIdFile[] = [];
    for (const source of note.sources) {
      const directory = roots.reopened(note.id, source)?.fd;
      if (directory === undefined) {
        if (strip) log('warning', 'set-id-unseen', { container: note.container, source });
        unseen(source);
        continue;
      }
      try {
        const wish = { directory, sinceMs: note.sinceMs - earlierMs, strip, signal };
        const { found } = await setIdFiles(libc, wish);
        all.push(...found.map((file) => ({ ...file, path: join(source, file.path) })));
      } finally {
        closeSync(directory);
      }
    }
    return all;
  }

  /** Seldom, and never more than a hundredth of the time. */
  #lookLater(afterMs: number): void {
    const { elapsedMs, log, signal, lookEveryMs } = this.#parts;
    if (this.#timer || signal.aborted || this.#running.size === 0) return;
    this.#timer = setTimeout(() => {
      const beganMs = elapsedMs();
      this.#look(this.#running)
        .catch((error: unknown) => log('warning', 'set-id-failed', { error }))
        .finally(() => {
          this.#timer = undefined;
          this.#lookLater(Math.max(lookEveryMs, (elapsedMs() - beganMs) * share));
        });
    }, afterMs).unref();
  }

  async #look(running: ReadonlySet<string>): Promise<void> {
    for (const note of [...this.#notes.values()].filter(({ id }) => running.has(id))) {
      for (const { path } of await this.#search(note, false)) {
        const key = `${note.id} ${path}`;
        if (this.#told.has(key)) continue;
        this.#told.add(key);
        this.#parts.log('warning', 'set-id-found', { container: note.container, path });
        this.#parts.found(note.id, path);
      }
    }
  }
}

/** Of the last sessions of each workspace also what was guarded, which may be long. */
function remembered(all: readonly Remembered[]): Remembered[] {
  const counts = new Map<string, number>();
  return all
    .slice(-rememberedMax)
    .toReversed()
    .map((one) => {
      const count = (counts.get(one.workspace) ?? 0) + 1;
      counts.set(one.workspace, count);
      return count <= guardedMax ? one : { ...one, guarded: undefined };
    })
    .toReversed();
}

/** Of a container that was started again, the last time. */
function startOf({ created_at, last_used_at }: Instance): number {
  return Math.max(Date.parse(created_at) || 0, Date.parse(last_used_at) || 0);
}

const endedName = 'ended.json';

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
