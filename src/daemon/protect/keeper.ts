// Keeps the guards of all workspaces with sessions: one for each workspace, however many sessions share it. What has to be
// put back is in <state dir>/protect/, so that a coid that was killed, or a host that went down, leaves nothing behind.
import {
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Below } from '../../host/guarded.ts';
import type { Libc } from '../../host/libc.ts';
import { openWithoutLinks, type Source } from '../../host/open-source.ts';
import {
  type Ancestor,
  nothingProtected,
  type ProtectionPlan,
  type ProtectRequest,
} from '../../session/protect.ts';
import type { Log } from '../log.ts';
import { applyGuard, type GuardState, noGuard, type Owner, removeGuard } from './guard.ts';
import { Watchers } from './watchers.ts';

export interface KeeperParts {
  readonly libc: Libc;
  readonly stateDir: string;
  readonly log: Log;
  readonly elapsedMs: () => number;
  /** How long a guard is kept for a session that is not seen to run: it may be about to start. */
  readonly holdMs: number;
  /** A protected path that did not exist was made while sessions run. */
  readonly created: (sessions: readonly string[], path: string) => void;
}

/** What is written down of one workspace. */
interface GuardRecord {
  readonly root: string;
  readonly device: number;
  readonly inode: number;
  readonly owner: Owner;
  readonly request: ProtectRequest;
  /** Protected paths that were not there when the guard was put up. */
  readonly missing: readonly string[];
  readonly state: GuardState;
  /** Ids of the sessions' mounts. */
  readonly users: readonly string[];
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
      const users = new Map(
        record.users.map((id) => [id, this.#parts.elapsedMs() + this.#parts.holdMs]),
      );
      const guarded = this.#guardOf(record, users);
      this.#guarded.set(keyOf(record.device, record.inode), guarded);
      this.#mend(guarded);
    }
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
      throw error;
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
    const { root, owner, state } = guarded.record;
    const below = this.#open(guarded.record);
    if (below) {
      using opened = below;
      removeGuard(opened, guarded.plan, owner, state);
    }
    rmSync(this.#file(guarded.record), { force: true });
    this.#parts.log('info', 'unprotected', { root, found: below !== undefined });
  }

  #apply(guarded: Guarded, below: Below, request: ProtectRequest): void {
    const { owner, root } = guarded.record;
    const once = () => {
      const { state } = guarded.record;
      const applied = applyGuard(below, request, owner, state, (next) =>
        this.#save(guarded, { state: next }),
      );
      guarded.plan = applied.plan;
      this.#save(guarded, { state: applied.state });
      if (applied.changed > 0) this.#parts.log('info', 'protected', { root, n: applied.changed });
    };
    once();
    // What happened before the first watch is seen by a second look.
    const { missing } = guarded.record;
    if (
      guarded.watchers.follow(
        { ...guarded.plan, missing: [...guarded.plan.missing, ...missing] },
        below,
      )
    )
      once();
  }

  /**
   * Puts the guard back after something changed: the host's git and editors replace files. What was not there at the
   * start is not guarded, since the session's mounts have no way into it; that it was made is told.
   */
  #mend(guarded: Guarded): void {
    const below = this.#open(guarded.record);
    if (!below) return;
    using opened = below;
    const { request, missing, root } = guarded.record;
    try {
      const paths = request.paths.filter((path) => !missing.some((gone) => isWithin(path, gone)));
      this.#apply(guarded, opened, { paths, mode: 'watch' });
    } catch (error) {
      this.#parts.log('warning', 'protection-failed', { root, error });
    }
    for (const path of missing) {
      const made = opened.stats(path) !== undefined;
      if (made && !guarded.told.has(path)) {
        this.#parts.log('warning', 'protected-path-made', { root, path });
        this.#parts.created([...guarded.users.keys()], path);
      }
      if (made) guarded.told.add(path);
      else guarded.told.delete(path);
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
      if (guarded.users.size > 0) this.#mend(guarded);
    }, mendMs).unref();
  }

  #unwatch(guarded: Guarded): void {
    clearTimeout(guarded.mendTimer);
    guarded.watchers.close();
  }

  /** The workspace as it was; undefined if it is gone, or another is there now. */
  #open({ root, device, inode }: GuardRecord): Below | undefined {
    let source: Source;
    try {
      source = openWithoutLinks(this.#parts.libc, root);
    } catch {
      return undefined;
    }
    const below = new Below(this.#parts.libc, source.fd);
    if (isSame(source.stats, device, inode)) return below;
    below[Symbol.dispose]();
    return undefined;
  }

  #save(guarded: Guarded, changes: Partial<GuardRecord> = {}): void {
    const next = { ...guarded.record, ...changes, users: [...guarded.users.keys()] };
    const text = JSON.stringify(next);
    guarded.record = next;
    if (text === guarded.saved) return;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const path = this.#file(next);
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
    guarded.saved = text;
  }

  #file({ device, inode }: GuardRecord): string {
    return join(this.#directory, `${keyOf(device, inode)}.json`);
  }
}

/** The path itself, or something in it. */
function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`);
}

function keyOf(device: number, inode: number): string {
  return `${device}-${inode}`;
}

function isSame(stats: Stats, device: number, inode: number): boolean {
  return stats.dev === device && stats.ino === inode;
}

function readRecord(path: string): GuardRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as Partial<GuardRecord>;
    return typeof record.root === 'string' &&
      Array.isArray(record.users) &&
      record.state &&
      record.request &&
      record.owner
      ? (record as GuardRecord)
      : undefined;
  } catch {
    return undefined;
  }
}
