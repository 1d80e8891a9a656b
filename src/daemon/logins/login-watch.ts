// Watches the login files of users and their sessions, and runs a program as the user that syncs them after a change
// (the login sync, keep-logins.ts). coid itself only checks times and sizes: one file per session, once a second.
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { TokenBuckets } from '../../attention/token-buckets.ts';
import type { Instance } from '../../incus/shapes.ts';
import { loginFileOf } from '../../logins/formats/list.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';

export interface LoginWatchParts {
  readonly log: Log;
  readonly runDir: string;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Runs the sync program as that user; resolves with its exit status. */
  readonly sync: (request: SyncRequest) => Promise<number>;
  /** The default home directory. */
  readonly homeOf: (uid: number) => string | undefined;
}

/** The stdin of the sync program. */
export interface SyncInput {
  readonly live: readonly SessionOfTool[];
  readonly ended: readonly SessionOfTool[];
  /** Also sync other sessions of the user, which may have ended while coid was not running. */
  readonly all: boolean;
}

export interface SyncRequest {
  readonly uid: number;
  readonly home: string;
  readonly input: SyncInput;
}

interface SessionOfTool {
  readonly session: string;
  readonly tool: string;
}

interface WatchedLogin extends SessionOfTool {
  readonly owner: number;
  readonly home: string;
  /** Host path of the session's login file. */
  readonly file: string;
  readonly hostFile: string;
  readonly startedMs: number;
}

const intervalMs = 1000;
/** How many changes of a session are synced without delay, and the time until one more is allowed. */
const budget = { burst: 8, refillMs: 20_000 };
const retryMs = 5000;
const retryMaxMs = 300_000;
const endedMax = 500;
/** Limit of parallel sync programs, which use about 60 MB each. */
const syncsMax = 2;

/** The retry after a failure, with its delay. New changes do not wait for it. */
interface Retry {
  readonly atMs: number;
  readonly waitMs: number;
  readonly ended: readonly SessionOfTool[];
}

/** The state of one user. */
interface Owner {
  readonly uid: number;
  readonly home: string;
  sessions: WatchedLogin[];
  ended: SessionOfTool[];
  /** Sessions that ended before coid started were synced. */
  checkedEnded: boolean;
  busy: boolean;
  retry: Retry | undefined;
}

export class LoginWatch {
  readonly #parts: LoginWatchParts;
  #watched: ReadonlyMap<string, WatchedLogin> = new Map();
  readonly #owners = new Map<string, Owner>();
  /** State of each file when it was last synced. */
  readonly #seen = new Map<string, string>();
  readonly #budgets = new TokenBuckets(budget);
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: LoginWatchParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => clearInterval(this.#timer));
  }

  /** Called in each reconcile pass with all instances. */
  reconcile(instances: readonly Instance[]): void {
    const { runDir, signal, homeOf } = this.#parts;
    const now = new Map(
      instances.flatMap((instance) => {
        const record = sessionRecord(instance.config);
        const alive = instance.status !== 'Stopped' && record?.mounts.runDir === runDir;
        const followed = alive && record ? watchedLogin(instance, record, homeOf) : undefined;
        return record && followed ? [[record.mounts.id, followed] as const] : [];
      }),
    );
    for (const owner of this.#owners.values()) owner.sessions = [];
    for (const one of now.values()) this.#ownerOf(one).sessions.push(one);
    for (const [id, one] of this.#watched) {
      if (now.has(id)) continue;
      this.#ownerOf(one).ended.push({ session: one.session, tool: one.tool });
      this.#seen.delete(one.file);
      this.#budgets.forget(one.file);
    }
    this.#watched = now;
    if (this.#timer || signal.aborted || now.size === 0) return;
    this.#timer = setInterval(() => void this.check(), intervalMs);
    this.#timer.unref();
  }

  #ownerOf({ owner: uid, home }: WatchedLogin): Owner {
    const key = `${uid} ${home}`;
    const known = this.#owners.get(key);
    if (known) return known;
    const owner: Owner = {
      uid,
      home,
      sessions: [],
      ended: [],
      checkedEnded: false,
      busy: false,
      retry: undefined,
    };
    this.#owners.set(key, owner);
    return owner;
  }

  /** Checks all users. Resolves when all syncs are done. */
  async check(): Promise<void> {
    const owners = [...this.#owners.values()];
    const waiting = owners.some(
      ({ sessions, ended, retry }) =>
        sessions.length > 0 || ended.length > 0 || retry !== undefined,
    );
    if (!waiting) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    // An unresponsive home directory only blocks its own user.
    await Promise.all(owners.filter(({ busy }) => !busy).map((owner) => this.#checkSafely(owner)));
  }

  async #checkSafely(owner: Owner): Promise<void> {
    owner.busy = true;
    try {
      await this.#check(owner);
    } catch (error) {
      this.#parts.log('warning', 'logins-failed', { owner: owner.uid, error });
    } finally {
      owner.busy = false;
    }
  }

  async #check(owner: Owner): Promise<void> {
    const { elapsedMs } = this.#parts;
    const { sessions, ended, retry } = owner;
    const isRetry = retry !== undefined && retry.atMs <= elapsedMs();
    let due = ended.length > 0 || isRetry;
    for (const { file, hostFile, startedMs } of sessions) {
      const stats = await tryStat(() => lstat(file));
      const mark = markOf(stats);
      if (this.#seen.get(file) === mark) continue;
      // A file that the start created is older than its container.
      const isNew = !this.#seen.has(file);
      const changedMs = stats?.ctimeMs ?? 0;
      // The host's file may have changed after the start copied it and before this first check.
      // Equal times: within one tick of the kernel's clock, in either order.
      const isBehind = async () =>
        ((await tryStat(() => stat(hostFile)))?.ctimeMs ?? -1) >= changedMs;
      const isNews = !isNew || changedMs > startedMs || (await isBehind());
      if (isNews && !this.#budgets.take(file, elapsedMs())) continue;
      this.#seen.set(file, mark);
      due ||= isNews;
    }
    for (const hostFile of new Set(sessions.map((one) => one.hostFile))) {
      // stat, not lstat: the user may have a link to a file elsewhere.
      const mark = markOf(await tryStat(() => stat(hostFile)));
      const key = `${owner.uid} ${hostFile}`;
      const first = !this.#seen.has(key);
      if (this.#seen.get(key) === mark) continue;
      this.#seen.set(key, mark);
      due ||= !first;
    }
    const all = sessions.length > 0 && !owner.checkedEnded && (isRetry || !retry);
    if (due || all) await this.#sync(owner, all);
  }

  async #sync(owner: Owner, all: boolean): Promise<void> {
    const { elapsedMs, log, sync } = this.#parts;
    const { uid, home, retry } = owner;
    const isRetry = !retry || retry.atMs <= elapsedMs();
    const ended = [...(retry?.ended ?? []), ...owner.ended.splice(0)].slice(0, endedMax);
    owner.checkedEnded ||= all;
    owner.retry = undefined;
    const live = owner.sessions.map(({ session, tool }) => ({ session, tool }));
    const status = await this.#inTurn(() => sync({ uid, home, input: { live, ended, all } }));
    if (status === 0) return;
    log('warning', 'logins-not-kept', { owner: uid, status });
    if (all) owner.checkedEnded = false;
    if (retry && !isRetry) {
      owner.retry = { ...retry, ended };
      return;
    }
    const waitMs = Math.min(retryMaxMs, (retry?.waitMs ?? retryMs / 2) * 2);
    // Without a session, there will be no new changes.
    if (waitMs === retryMaxMs && live.length === 0) return;
    owner.retry = { atMs: elapsedMs() + waitMs, waitMs, ended };
  }

  /** Limits how many sync programs run in parallel. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running >= syncsMax)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }
}

/** Undefined if coi does not sync the tool's login. */
function watchedLogin(
  instance: Instance,
  { tool, session, owner, mounts }: SessionRecord,
  homeOf: LoginWatchParts['homeOf'],
): WatchedLogin | undefined {
  const login = loginFileOf(tool);
  if (!login) return undefined;
  const inside = `/sessions-${tool}/${session}/${dirname(login.path)}`;
  const source = mounts.mounts.find((mount) => mount.source.endsWith(inside))?.source;
  const top = source?.slice(0, -inside.length);
  // ~/.coi may be a link.
  const home = top?.endsWith('/.coi') ? top.slice(0, -'/.coi'.length) : homeOf(owner);
  if (source === undefined || home === undefined) return undefined;
  const startedMs = Math.max(Date.parse(instance.created_at), Date.parse(instance.last_used_at));
  return {
    tool,
    session,
    owner,
    home,
    file: `${source}/${basename(login.path)}`,
    hostFile: `${home}/${login.path}`,
    startedMs: Number.isNaN(startedMs) ? 0 : startedMs,
  };
}

async function tryStat(read: () => Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

function markOf(stats: Stats | undefined): string {
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}` : 'none';
}
