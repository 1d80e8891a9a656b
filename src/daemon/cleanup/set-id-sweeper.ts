// Finds files that sessions made setuid or setgid or gave capabilities: regularly while they run, and at their end, when
// the rights are stripped. Pending searches are in <state dir>/set-id/, so that they survive a crash.
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
import { ReportedPaths } from './reported-paths.ts';
import {
  endedSummary,
  noteOf,
  noteShape,
  openSession,
  type SetIdNote,
  startMs,
} from './set-id-note.ts';
import { type SearchParts, searchSetIds, stripSetIds } from './set-id-search.ts';

export interface SetIdParts extends SearchParts {
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  /** Minimum interval of searches of running sessions. */
  readonly intervalMs: number;
  /** Called when a running session has created such a file. */
  readonly found: (mounts: string, path: string) => void;
}

/** Maximum retry delay; it doubles after each incomplete attempt. */
const againMaxMs = 86_400_000;
const keptMs = 30 * 86_400_000;
/** How long to wait until coid also sees an end that the client has seen. */
const waitMs = 3000;
const waitStepMs = 25;

/** Searches may take at most 1/share of the time. */
const share = 25;

export class SetIdSweeper {
  readonly #parts: SetIdParts;
  readonly #directory: string;
  readonly #notes = new Map<string, SetIdNote>();
  readonly #ending = new Map<string, Promise<void>>();
  /** Next attempt of each incomplete search. */
  readonly #retries = new Map<string, { readonly atMs: number; readonly waitMs: number }>();
  readonly #reported = new Map<string, ReportedPaths>();
  readonly #ended: EndedSessions;
  #running: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SetIdParts) {
    this.#parts = parts;
    this.#directory = join(parts.stateDir, 'set-id');
    this.#ended = new EndedSessions(join(this.#directory, endedName));
  }

  /** Loads the notes of an earlier coid. */
  load(): void {
    for (const name of stateFiles(this.#directory)) {
      if (name === endedName) continue;
      const note = readState(join(this.#directory, name), noteShape);
      if (note && isTreeId(note.id)) this.#notes.set(note.id, note);
      else rmSync(join(this.#directory, name), { force: true });
    }
    this.#ended.load();
  }

  /** Called before a session starts, which may have ended before coid sees it running. */
  begin(mounts: MountRecord, container: string, workspace: string): void {
    this.#note(mounts, container, workspace, this.#parts.now().getTime());
  }

  /** Mounts ids of sessions with a pending search. */
  ids(): readonly string[] {
    return [...this.#notes.keys()];
  }

  /** Retries incomplete searches in the next pass. */
  retryAll(): void {
    this.#retries.clear();
  }

  /** The session did not start after all. */
  forget(id: string): void {
    this.#notes.delete(id);
    this.#retries.delete(id);
    rmSync(join(this.#directory, id), { force: true });
  }

  /** Called in each reconcile pass with all instances and the ids of reservations. Starts due work without waiting for it. */
  reconcile(instances: readonly Instance[], reserved: ReadonlySet<string>): void {
    const running = new Set<string>();
    for (const instance of instances) {
      const record = sessionRecord(instance.config);
      if (!record || record.mounts.runDir !== this.#parts.runDir) continue;
      if (instance.status === 'Stopped' || !isTreeId(record.mounts.id)) continue;
      running.add(record.mounts.id);
      if (this.#notes.has(record.mounts.id)) continue;
      const { mounts, workspace } = record;
      this.#note(mounts, instance.name, workspace, startMs(instance));
    }
    for (const { id } of this.#notes.values())
      if (!running.has(id) && !reserved.has(id)) void this.sweepEnded(id);
    this.#running = running;
    for (const id of this.#reported.keys()) if (!running.has(id)) this.#reported.delete(id);
    this.#searchLater(this.#parts.intervalMs);
  }

  /** Resolves when the ended session was searched, completely or as far as possible for now. */
  sweepEnded(id: string): Promise<void> {
    const { elapsedMs, log, signal } = this.#parts;
    const note = this.#notes.get(id);
    const known = this.#ending.get(id);
    if (known || !note) return known ?? Promise.resolve();
    if (signal.aborted || elapsedMs() < (this.#retries.get(id)?.atMs ?? 0))
      return Promise.resolve();
    const work = this.#end(note)
      .catch((error: unknown) => {
        log('warning', 'set-id-failed', { id, error });
        this.#tryLater(note);
      })
      .finally(() => this.#ending.delete(id));
    this.#ending.set(id, work);
    return work;
  }

  /** The peer's sessions in a workspace, latest first. Waits briefly for sessions that are ending, and for `container`. */
  async endedSessions({ workspace, container }: EndedRequest, peer: Peer): Promise<EndedReply> {
    const { elapsedMs, now, signal } = this.#parts;
    const limitMs = elapsedMs() + waitMs;
    // Incomplete searches are not awaited.
    const unswept = () =>
      [...this.#notes.values()].filter(
        ({ id }) => this.#ending.has(id) || !this.#ended.unfinished(id),
      );
    const isAwaited = (note: SetIdNote) =>
      note.container === container || (note.workspace === workspace && this.#ending.has(note.id));
    while (unswept().some(isAwaited) && elapsedMs() < limitMs && !signal.aborted)
      // If coid is stopping, reply with what is known.
      await delay(waitStepMs, undefined, { signal }).catch(() => undefined);
    const isTheirs = (one: { workspace: string }, owner: number) =>
      one.workspace === workspace && (peer.uid === 0 || peer.uid === owner);
    const own = [...this.#notes.values()].filter((note) => isTheirs(note, note.ownerUid));
    // Sessions that ended but were not searched are reported as incomplete.
    const isPending = ({ id, container: name }: SetIdNote) =>
      (this.#ending.has(id) || name === container) && !this.#ended.unfinished(id);
    const pending = own
      .filter(isPending)
      .map((note) => ({ ...endedSummary(note, now()), stripped: [], complete: false }));
    return {
      sessions: [...this.#ended.all.filter((one) => isTheirs(one, one.owner)), ...pending]
        .map(({ id: _, owner: __, workspace: ___, ...session }) => session)
        .toReversed(),
      open: own
        .filter((note) => !isPending(note))
        .filter(({ id }) => this.#running.has(id) || !this.#ended.unfinished(id))
        .map(openSession),
    };
  }

  #note(mounts: MountRecord, container: string, workspace: string, startedMs: number): void {
    const guarded = guardedPaths(this.#parts.stateDir, mounts);
    const note = noteOf(mounts, { container, workspace, sinceMs: startedMs, guarded });
    this.#notes.set(note.id, note);
    writeState(join(this.#directory, note.id), JSON.stringify(note), { flush: false });
  }

  /** The note stays until the search is complete, for the next attempt or the next coid. */
  async #end(note: SetIdNote): Promise<void> {
    const { log, now } = this.#parts;
    const { id, container } = note;
    const sweep = await stripSetIds(this.#parts, note);
    this.#ended.add(endedSummary(note, now()), sweep);
    const { count, complete, unseen } = sweep;
    for (const source of unseen) log('warning', 'set-id-unseen', { container, source });
    if (complete) this.forget(id);
    else this.#tryLater(note);
    if (count > 0 || !complete) log('warning', 'set-id-stripped', { container, count, complete });
  }

  /** After a month the note is dropped; the session's record stays. */
  #tryLater({ id, sinceMs }: SetIdNote): void {
    const { elapsedMs, intervalMs, now, signal } = this.#parts;
    if (now().getTime() - sinceMs > keptMs) {
      this.forget(id);
      return;
    }
    const waitMs = Math.min(againMaxMs, 2 * (this.#retries.get(id)?.waitMs ?? intervalMs / 2));
    this.#retries.set(id, { atMs: elapsedMs() + waitMs, waitMs });
    if (signal.aborted) return;
    setTimeout(() => {
      // A persistent container may be running again.
      if (!this.#running.has(id)) void this.sweepEnded(id);
    }, waitMs + 1).unref();
  }

  /** Schedules the next search of running sessions, limited to its share of the time. */
  #searchLater(afterMs: number): void {
    const { elapsedMs, log, signal, intervalMs } = this.#parts;
    if (this.#timer || signal.aborted || this.#running.size === 0) return;
    this.#timer = setTimeout(() => {
      const beganMs = elapsedMs();
      this.#search(this.#running)
        .catch((error: unknown) => log('warning', 'set-id-failed', { error }))
        .finally(() => {
          this.#timer = undefined;
          this.#searchLater(Math.max(intervalMs, (elapsedMs() - beganMs) * share));
        });
    }, afterMs).unref();
  }

  async #search(running: ReadonlySet<string>): Promise<void> {
    const { log, elapsedMs } = this.#parts;
    for (const note of [...this.#notes.values()].filter(({ id }) => running.has(id))) {
      const { id, container } = note;
      const { found, count } = await searchSetIds(this.#parts, note, false);
      if (!this.#notes.has(id)) continue;
      const reported = this.#reported.get(id) ?? new ReportedPaths();
      this.#reported.set(id, reported);
      const report = reported.update(
        found.map(({ path }) => path),
        count,
        elapsedMs(),
      );
      for (const path of report.named) {
        log('warning', 'set-id-found', { container, path });
        this.#parts.found(id, path);
      }
      if (report.more === undefined) continue;
      log('warning', 'set-id-found', { container, more: report.more });
      this.#parts.found(id, `${report.more} more files`);
    }
  }
}

const endedName = 'ended.json';
