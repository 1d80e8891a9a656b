// Keeps the guards of all workspaces with sessions: one for each workspace, however many sessions share it. What has to be
// put back is in <state dir>/protect/, so that a coid that was killed, or a host that went down, leaves nothing behind.
import {
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Below } from '../../host/guarded.ts';
import { type Libc, SystemCallError } from '../../host/libc.ts';
import { openWithoutLinks, type Source } from '../../host/open-source.ts';
import { type Ancestor, nothingProtected, type ProtectionPlan } from '../../session/protect.ts';
import type { ProtectRequest } from '../../session/protect-request.ts';
import type { Log } from '../log.ts';
import { applyGuard, type GuardState, noGuard, type Owner, removeGuard } from './guard.ts';
import { type GuardRecord, isSame, isWithin, keyOf, readRecord } from './record.ts';
import { unguardable } from './refusal.ts';
import { Watchers } from './watchers.ts';

export interface Tampering {
  readonly path: string;
  /**
   * `made`: a protected path that did not exist. `stripped`: its guard was taken away, which only the agent has a reason
   * for. `replaced`: another directory is in its place.
   */
  readonly what: 'made' | 'stripped' | 'replaced';
}

export interface KeeperParts {
  readonly libc: Libc;
  readonly stateDir: string;
  readonly log: Log;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  /** How long a guard is kept for a session that is not seen to run: it may be about to start. */
  readonly holdMs: number;
  /** Something about a protected path changed while sessions run. */
  readonly tampered: (sessions: readonly string[], tampering: Tampering) => void;
}

interface Guarded {
  record: GuardRecord;
  /** The record's text as it is on disk. */
  saved: string;
  plan: ProtectionPlan;
  readonly users: Map<string, number>;
  readonly watchers: Watchers;
  /** Paths of which it was told that they were made. */
  readonly told: Set<string>;
  mendTimer: NodeJS.Timeout | undefined;
}

const O_PATH_DIRECTORY = 0o10200000;
const mendMs = 5;
const missingDays = 90;
const dayMs = 86_400_000;

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #directory: string;
  readonly #guarded = new Map<string, Guarded>();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#directory = join(parts.stateDir, 'protect');
  }

  /** Takes over what an earlier coid guarded. */
  load(): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#directory)) {
      const record = readRecord(join(this.#directory, name));
      if (!record || `${keyOf(record.device, record.inode)}.json` !== name) continue;
      if (record.users.length === 0) {
        this.#takeAway(record, nothingProtected);
        continue;
      }
      const users = new Map(
        record.users.map((id) => [id, this.#parts.elapsedMs() + this.#parts.holdMs]),
      );
      const guarded = this.#guardOf(this.#onThisBoot(record), users);
      const { device, inode } = guarded.record;
      this.#guarded.set(keyOf(device, inode), guarded);
      this.#mend(guarded, false);
    }
  }

  /** After a reboot the same file system may have another number. */
  #onThisBoot(record: GuardRecord): GuardRecord {
    const below = this.#open(record);
    const device = below?.stats('.')?.dev ?? record.device;
    below?.[Symbol.dispose]();
    if (device !== record.device) rmSync(this.#file(record), { force: true });
    return { ...record, device };
  }

  /** Guards a workspace for a session; gives the directories that need a mount of their own. Throws `unprotected-path`. */
  protect(id: string, root: Source, request: ProtectRequest, owner: Owner): readonly Ancestor[] {
    const { dev, ino } = root.stats;
    const key = keyOf(dev, ino);
    const known = this.#guarded.get(key);
    const paths = [...new Set([...(known?.record.request.paths ?? []), ...request.paths])];
    const state = known?.record.state ?? noGuard;
    const place = { root: root.path, device: dev, inode: ino, owner };
    const record = { ...place, request: { ...request, paths }, missing: [], state, users: [] };
    const guarded = known ?? this.#guardOf(record, new Map());
    guarded.record = { ...record, users: guarded.record.users };
    guarded.users.set(id, this.#parts.elapsedMs() + this.#parts.holdMs);
    this.#guarded.set(key, guarded);
    using below = new Below(
      this.#parts.libc,
      openSync(`/proc/self/fd/${root.fd}`, O_PATH_DIRECTORY),
    );
    try {
      this.#apply(guarded, below, guarded.record.request);
      this.#save(guarded, { missing: guarded.plan.missing });
    } catch (error) {
      this.#leave(key, guarded, id);
      if (!(error instanceof SystemCallError)) throw error;
      if (request.mode === 'guard') throw unguardable(root.path, error);
      this.#parts.log('warning', 'protection-failed', { root: root.path, error });
      return [];
    }
    return guarded.plan.ancestors;
  }

  /** True while that session's workspace is guarded for it. */
  has(id: string): boolean {
    return [...this.#guarded.values()].some(({ users }) => users.has(id));
  }

  /** Sessions that are not among these, and not about to start, need no guard any more. Says when to ask again. */
  release(live: ReadonlySet<string>): number | undefined {
    const nowMs = this.#parts.elapsedMs();
    let againMs: number | undefined;
    for (const [key, guarded] of [...this.#guarded]) {
      for (const [id, heldMs] of [...guarded.users]) {
        if (live.has(id)) continue;
        if (heldMs <= nowMs) this.#leave(key, guarded, id);
        else againMs = Math.min(againMs ?? Number.POSITIVE_INFINITY, heldMs - nowMs + 1);
      }
    }
    return againMs;
  }

  /** Ends a session's guard at once: its reservation was given back. */
  drop(id: string): void {
    for (const [key, guarded] of [...this.#guarded])
      if (guarded.users.has(id)) this.#leave(key, guarded, id);
  }

  /** Stops watching; the guards stay for the next coid. */
  close(): void {
    for (const guarded of this.#guarded.values()) this.#unwatch(guarded);
  }

  #leave(key: string, guarded: Guarded, id: string): void {
    guarded.users.delete(id);
    if (guarded.users.size > 0) {
      this.#save(guarded);
      return;
    }
    this.#unwatch(guarded);
    this.#guarded.delete(key);
    this.#save(guarded);
    this.#takeAway(guarded.record, guarded.plan);
  }

  /** A workspace that cannot be found (its disk is not there) is looked for again by every coid that starts. */
  #takeAway(record: GuardRecord, plan: ProtectionPlan): void {
    const { root, owner, state } = record;
    const below = this.#open(record);
    if (below) {
      using opened = below;
      removeGuard(this.#parts.libc, opened, plan, owner, state);
    }
    const path = this.#file(record);
    const found = below !== undefined;
    const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (found || this.#parts.now().getTime() - since > missingDays * dayMs)
      rmSync(path, { force: true });
    this.#parts.log('info', 'unprotected', { root, found });
  }

  /** What was found changed that nobody has a reason to change. */
  #apply(guarded: Guarded, below: Below, request: ProtectRequest): readonly Tampering[] {
    const { owner, root, missing } = guarded.record;
    const { libc, log } = this.#parts;
    const save = (state: GuardState) => this.#save(guarded, { state });
    const once = () => {
      const before = guarded.record.state;
      const applied = applyGuard({ libc, below, request, owner, before, save });
      guarded.plan = applied.plan;
      save(applied.state);
      if (applied.changed > 0) log('info', 'protected', { root, n: applied.changed });
      return applied;
    };
    const { stripped, replaced } = once();
    // What happened before the first watch is seen by a second look.
    const watched = { ...guarded.plan, missing: [...guarded.plan.missing, ...missing] };
    if (guarded.watchers.follow(watched, below)) once();
    return [
      ...stripped.map((path) => ({ path, what: 'stripped' as const })),
      ...replaced.map((path) => ({ path, what: 'replaced' as const })),
    ];
  }

  /**
   * Puts the guard back after something changed: the host's git and editors replace files. What was not there at the
   * start is not guarded, since the session's mounts have no way into it; that it was made is told.
   */
  #mend(guarded: Guarded, tell: boolean): void {
    const below = this.#open(guarded.record);
    if (!below) return;
    using opened = below;
    const { request, missing, root } = guarded.record;
    const found: Tampering[] = [];
    try {
      const paths = request.paths.filter((path) => !missing.some((gone) => isWithin(path, gone)));
      found.push(...this.#apply(guarded, opened, { paths, mode: 'watch' }));
    } catch (error) {
      this.#parts.log('warning', 'protection-failed', { root, error });
    }
    for (const path of missing) {
      const made = opened.stats(path) !== undefined;
      if (made && !guarded.told.has(path)) found.push({ path, what: 'made' });
      if (made) guarded.told.add(path);
      else guarded.told.delete(path);
    }
    if (!tell) return;
    for (const { path, what } of found) {
      this.#parts.log('warning', 'protected-path-changed', { root, path, what });
      this.#parts.tampered([...guarded.users.keys()], { path, what });
    }
  }

  #guardOf(record: GuardRecord, users: Map<string, number>): Guarded {
    const guarded: Guarded = {
      record,
      saved: '',
      plan: nothingProtected,
      users,
      watchers: new Watchers(() => this.#mendSoon(guarded)),
      told: new Set(),
      mendTimer: undefined,
    };
    return guarded;
  }

  #mendSoon(guarded: Guarded): void {
    guarded.mendTimer ??= setTimeout(() => {
      guarded.mendTimer = undefined;
      if (guarded.users.size > 0) this.#mend(guarded, true);
    }, mendMs).unref();
  }

  #unwatch(guarded: Guarded): void {
    clearTimeout(guarded.mendTimer);
    guarded.watchers.close();
  }

  /** The workspace as it was; undefined if it is gone, or another is there now. */
  #open({ root, inode }: GuardRecord): Below | undefined {
    let source: Source;
    try {
      source = openWithoutLinks(this.#parts.libc, root);
    } catch {
      return undefined;
    }
    const below = new Below(this.#parts.libc, source.fd);
    if (isSame(source.stats, inode)) return below;
    below[Symbol.dispose]();
    return undefined;
  }

  #save(guarded: Guarded, changes: Partial<GuardRecord> = {}): void {
    const next = { ...guarded.record, ...changes, users: [...guarded.users.keys()] };
    const text = JSON.stringify(next);
    // What entries were before must not be lost; all else can be found out again.
    const flush = next.state.entries !== guarded.record.state.entries;
    guarded.record = next;
    if (text === guarded.saved) return;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const path = this.#file(next);
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush });
    renameSync(`${path}.new`, path);
    guarded.saved = text;
  }

  #file({ device, inode }: GuardRecord): string {
    return join(this.#directory, `${keyOf(device, inode)}.json`);
  }
}
