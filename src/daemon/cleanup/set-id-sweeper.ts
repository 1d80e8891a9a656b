// Finds what sessions made setuid, setgid or gave capabilities in what they could write: now and then while they run,
// and at their end, when it is taken away. What is to be looked at is in <state dir>/set-id/, so that no crash loses it.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { EndedReply, EndedRequest } from '../../coid-api/ended-protocol.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import { isTreeId } from '../mounts/tree-id.ts';
import { readState, stateFiles, writeState } from '../state-file.ts';
import { EndedSessions } from './ended-sessions.ts';
import { guardedPaths } from './guarded-paths.ts';
import { aboutOf, type Note, noteOf, noteShape, openOf, startOf } from './set-id-note.ts';
import { type SearchParts, searched, stripped } from './set-id-search.ts';
import { ToldPaths } from './told-paths.ts';

export interface SetIdParts extends SearchParts {
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  /** Between two looks at what runs. */
  readonly lookEveryMs: number;
  /** A running session made such a file. */
  readonly found: (mounts: string, path: string) => void;
}

/** An attempt that was not complete is followed by another, each after twice the time, at last once a day. */
const againMaxMs = 86_400_000;
const keptMs = 30 * 86_400_000;
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
  /** When an ended session that could not be looked at completely is looked at again. */
  readonly #again = new Map<string, { readonly atMs: number; readonly waitMs: number }>();
  readonly #told = new Map<string, ToldPaths>();
  readonly #ended: EndedSessions;
  #running: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SetIdParts) {
    this.#parts = parts;
    this.#directory = join(parts.stateDir, 'set-id');
    this.#ended = new EndedSessions(join(this.#directory, endedName));
  }

  /** Takes over what an earlier coid had noted. */
  load(): void {
    for (const name of stateFiles(this.#directory)) {
      if (name === endedName) continue;
      const note = readState(join(this.#directory, name), noteShape);
      if (note && isTreeId(note.id)) this.#notes.set(note.id, note);
      else rmSync(join(this.#directory, name), { force: true });
    }
    this.#ended.load();
  }

  /** A session is about to begin: it may have ended before anybody sees it run. */
  begin(mounts: MountRecord, container: string, workspace: string): void {
    this.#note(mounts, container, workspace, this.#parts.now().getTime());
  }

  /** Of the mounts of those that are not done. */
  ids(): readonly string[] {
    return [...this.#notes.keys()];
  }

  /** What could not be looked at is looked at at the next occasion. */
  again(): void {
    this.#again.clear();
  }

  /** It did not begin after all. */
  forget(id: string): void {
    this.#notes.delete(id);
    this.#again.delete(id);
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
    for (const id of this.#told.keys()) if (!running.has(id)) this.#told.delete(id);
    this.#lookLater(this.#parts.lookEveryMs);
  }

  /** Resolves when nothing of that ended session is left, or it could not be looked at completely for now. */
  settled(id: string): Promise<void> {
    const { elapsedMs, log, signal } = this.#parts;
    const note = this.#notes.get(id);
    const known = this.#ending.get(id);
    if (known || !note) return known ?? Promise.resolve();
    if (signal.aborted || elapsedMs() < (this.#again.get(id)?.atMs ?? 0)) return Promise.resolve();
    const work = this.#end(note)
      .catch((error: unknown) => {
        log('warning', 'set-id-failed', { id, error });
        this.#tryLater(note);
      })
      .finally(() => this.#ending.delete(id));
    this.#ending.set(id, work);
    return work;
  }

  /** Those of the peer's in a workspace, the latest first. Waits a moment for those that end, and for that container. */
  async ended({ workspace, container }: EndedRequest, peer: Peer): Promise<EndedReply> {
    const { elapsedMs, now, signal } = this.#parts;
    const limitMs = elapsedMs() + waitMs;
    // What was looked at, but not completely, is not waited for.
    const unswept = () =>
      [...this.#notes.values()].filter(
        ({ id }) => this.#ending.has(id) || !this.#ended.unfinished(id),
      );
    const isAwaited = (note: Note) =>
      note.container === container || (note.workspace === workspace && this.#ending.has(note.id));
    while (unswept().some(isAwaited) && elapsedMs() < limitMs && !signal.aborted)
      // A coid that ends says what it knows.
      await delay(waitStepMs, undefined, { signal }).catch(() => undefined);
    const isTheirs = (one: { workspace: string }, owner: number) =>
      one.workspace === workspace && (peer.uid === 0 || peer.uid === owner);
    const own = [...this.#notes.values()].filter((note) => isTheirs(note, note.ownerUid));
    // What ended and was not looked at yet is told as such: nobody knows what is left of it.
    const isPending = ({ id, container: name }: Note) =>
      (this.#ending.has(id) || name === container) && !this.#ended.unfinished(id);
    const pending = own
      .filter(isPending)
      .map((note) => ({ ...aboutOf(note, now()), stripped: [], complete: false }));
    return {
      sessions: [...this.#ended.all.filter((one) => isTheirs(one, one.owner)), ...pending]
        .map(({ id: _, owner: __, workspace: ___, ...session }) => session)
        .toReversed(),
      open: own
        .filter((note) => !isPending(note))
        .filter(({ id }) => this.#running.has(id) || !this.#ended.unfinished(id))
        .map(openOf),
    };
  }

  #note(mounts: MountRecord, container: string, workspace: string, startedMs: number): void {
    const guarded = guardedPaths(this.#parts.stateDir, mounts);
    const note = noteOf(mounts, { container, workspace, sinceMs: startedMs, guarded });
    this.#notes.set(note.id, note);
    writeState(join(this.#directory, note.id), JSON.stringify(note), { flush: false });
  }

  /** The note stays until all was looked at: the next attempt, or the next coid, goes on with it. */
  async #end(note: Note): Promise<void> {
    const { log, now } = this.#parts;
    const { id, container } = note;
    const sweep = await stripped(this.#parts, note);
    this.#ended.add(aboutOf(note, now()), sweep);
    const { count, complete, unseen } = sweep;
    for (const source of unseen) log('warning', 'set-id-unseen', { container, source });
    if (complete) this.forget(id);
    else this.#tryLater(note);
    if (count > 0 || !complete) log('warning', 'set-id-stripped', { container, count, complete });
  }

  /** What is told of it stays, also where the note goes after a month. */
  #tryLater({ id, sinceMs }: Note): void {
    const { elapsedMs, lookEveryMs, now, signal } = this.#parts;
    if (now().getTime() - sinceMs > keptMs) {
      this.forget(id);
      return;
    }
    const waitMs = Math.min(againMaxMs, 2 * (this.#again.get(id)?.waitMs ?? lookEveryMs / 2));
    this.#again.set(id, { atMs: elapsedMs() + waitMs, waitMs });
    if (signal.aborted) return;
    setTimeout(() => {
      // A kept container may run again: its end comes later.
      if (!this.#running.has(id)) void this.settled(id);
    }, waitMs + 1).unref();
  }

  /** Seldom, and never more than its share of the time. */
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
    const { log, elapsedMs } = this.#parts;
    for (const note of [...this.#notes.values()].filter(({ id }) => running.has(id))) {
      const { id, container } = note;
      const { found, count } = await searched(this.#parts, note, false);
      if (!this.#notes.has(id)) continue;
      const told = this.#told.get(id) ?? new ToldPaths();
      this.#told.set(id, told);
      const news = told.news(
        found.map(({ path }) => path),
        count,
        elapsedMs(),
      );
      for (const path of news.named) {
        log('warning', 'set-id-found', { container, path });
        this.#parts.found(id, path);
      }
      if (news.more === undefined) continue;
      log('warning', 'set-id-found', { container, more: news.more });
      this.#parts.found(id, `${news.more} more files`);
    }
  }
}

const endedName = 'ended.json';
