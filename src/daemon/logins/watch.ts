// Sees when a login of a user or of one of the user's sessions changes, and starts a program of the user that keeps them
// the same (commands/host/keep-logins.ts). coid itself only looks at times and sizes: one file a session, once a second.
import type { Stats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Instance } from '../../incus/shapes.ts';
import { loginFileOf } from '../../logins/formats/list.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';

export interface LoginsParts {
  readonly log: Log;
  readonly runDir: string;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Runs the keeper as that user; resolves with its exit status. */
  readonly keep: (request: KeepRequest) => Promise<number>;
  /** Where no other is known. */
  readonly homeOf: (uid: number) => string | undefined;
}

/** What the keeper gets on its stdin. */
export interface KeepInput {
  readonly live: readonly SessionOfTool[];
  readonly ended: readonly SessionOfTool[];
  /** Also other sessions of the user, which may have ended unseen. */
  readonly all: boolean;
}

export interface KeepRequest {
  readonly uid: number;
  readonly home: string;
  readonly input: KeepInput;
}

interface SessionOfTool {
  readonly session: string;
  readonly tool: string;
}

interface Followed extends SessionOfTool {
  readonly owner: number;
  readonly home: string;
  /** On the host. */
  readonly file: string;
  readonly hostFile: string;
  readonly startedMs: number;
}

const everyMs = 1000;
/** So often a session's changes are looked at without delay; after that, one more each so many milliseconds. */
const burst = 8;
const refillMs = 20_000;
const retryMs = 5000;
const retryMaxMs = 300_000;
const endedMax = 500;
/** Each is a program of some 60 MB. */
const keepersMax = 2;

/** After a failure: when it is tried again, and how long was waited. What is new does not wait for that. */
interface Again {
  readonly atMs: number;
  readonly waitMs: number;
  readonly ended: readonly SessionOfTool[];
}

/** What is known of one user. */
interface Owner {
  readonly uid: number;
  readonly home: string;
  sessions: Followed[];
  ended: SessionOfTool[];
  /** It was looked for what ended before coid began. */
  begun: boolean;
  busy: boolean;
  again: Again | undefined;
}

export class Logins {
  readonly #parts: LoginsParts;
  #followed: ReadonlyMap<string, Followed> = new Map();
  readonly #owners = new Map<string, Owner>();
  /** What was seen of a file when the keeper was last started for it. */
  readonly #seen = new Map<string, string>();
  readonly #budgets = new Map<string, { readonly tokens: number; readonly atMs: number }>();
  #keepers = 0;
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: LoginsParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => clearInterval(this.#timer));
  }

  /** Called at each look with all instances. */
  follow(instances: readonly Instance[]): void {
    const { runDir, signal, homeOf } = this.#parts;
    const now = new Map(
      instances.flatMap((instance) => {
        const record = sessionRecord(instance.config);
        const alive = instance.status !== 'Stopped' && record?.mounts.runDir === runDir;
        const followed = alive && record ? followedOf(instance, record, homeOf) : undefined;
        return record && followed ? [[record.mounts.id, followed] as const] : [];
      }),
    );
    for (const owner of this.#owners.values()) owner.sessions = [];
    for (const one of now.values()) this.#ownerOf(one).sessions.push(one);
    for (const [id, one] of this.#followed) {
      if (now.has(id)) continue;
      this.#ownerOf(one).ended.push({ session: one.session, tool: one.tool });
      this.#seen.delete(one.file);
      this.#budgets.delete(one.file);
    }
    this.#followed = now;
    if (this.#timer || signal.aborted || now.size === 0) return;
    this.#timer = setInterval(() => void this.look(), everyMs);
    this.#timer.unref();
  }

  #ownerOf({ owner: uid, home }: Followed): Owner {
    const key = `${uid} ${home}`;
    const known = this.#owners.get(key);
    if (known) return known;
    const owner: Owner = {
      uid,
      home,
      sessions: [],
      ended: [],
      begun: false,
      busy: false,
      again: undefined,
    };
    this.#owners.set(key, owner);
    return owner;
  }

  /** Resolves when all were looked at, and what had to be done for them is done. */
  async look(): Promise<void> {
    const owners = [...this.#owners.values()];
    const waiting = owners.some(
      ({ sessions, ended, again }) =>
        sessions.length > 0 || ended.length > 0 || again !== undefined,
    );
    if (!waiting) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    // A home that does not answer holds up its own user only.
    await Promise.all(owners.filter(({ busy }) => !busy).map((owner) => this.#lookSafely(owner)));
  }

  async #lookSafely(owner: Owner): Promise<void> {
    owner.busy = true;
    try {
      await this.#look(owner);
    } catch (error) {
      this.#parts.log('warning', 'logins-failed', { owner: owner.uid, error });
    } finally {
      owner.busy = false;
    }
  }

  async #look(owner: Owner): Promise<void> {
    const { elapsedMs } = this.#parts;
    const { sessions, ended, again } = owner;
    const isRetry = again !== undefined && again.atMs <= elapsedMs();
    let due = ended.length > 0 || isRetry;
    for (const { file, hostFile, startedMs } of sessions) {
      const stats = await stated(() => lstat(file));
      const mark = markOf(stats);
      if (this.#seen.get(file) === mark) continue;
      // What a start put there is older than its container.
      const isNew = !this.#seen.has(file);
      const changedMs = stats?.ctimeMs ?? 0;
      // The host's may have changed after the start had copied it, and before the session was known here.
      const isBehind = async () => ((await stated(() => stat(hostFile)))?.ctimeMs ?? 0) > changedMs;
      const isNews = !isNew || changedMs > startedMs || (await isBehind());
      if (isNews && !this.#may(file)) continue;
      this.#seen.set(file, mark);
      due ||= isNews;
    }
    for (const hostFile of new Set(sessions.map((one) => one.hostFile))) {
      // The user may keep it elsewhere, as a link.
      const mark = markOf(await stated(() => stat(hostFile)));
      const key = `${owner.uid} ${hostFile}`;
      const first = !this.#seen.has(key);
      if (this.#seen.get(key) === mark) continue;
      this.#seen.set(key, mark);
      due ||= !first;
    }
    const all = sessions.length > 0 && !owner.begun && (isRetry || !again);
    if (due || all) await this.#keep(owner, all);
  }

  async #keep(owner: Owner, all: boolean): Promise<void> {
    const { elapsedMs, log, keep } = this.#parts;
    const { uid, home, again } = owner;
    const isRetry = !again || again.atMs <= elapsedMs();
    const ended = [...(again?.ended ?? []), ...owner.ended.splice(0)].slice(0, endedMax);
    owner.begun ||= all;
    owner.again = undefined;
    const live = owner.sessions.map(({ session, tool }) => ({ session, tool }));
    const status = await this.#inTurn(() => keep({ uid, home, input: { live, ended, all } }));
    if (status === 0) return;
    log('warning', 'logins-not-kept', { owner: uid, status });
    if (all) owner.begun = false;
    if (again && !isRetry) {
      owner.again = { ...again, ended };
      return;
    }
    const waitMs = Math.min(retryMaxMs, (again?.waitMs ?? retryMs / 2) * 2);
    // Of a user who has no session any more nothing can be new.
    if (waitMs === retryMaxMs && live.length === 0) return;
    owner.again = { atMs: elapsedMs() + waitMs, waitMs, ended };
  }

  /** Not more at once than there is room for beside coid. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.#keepers >= keepersMax)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#keepers += 1;
    try {
      return await work();
    } finally {
      this.#keepers -= 1;
      this.#waiting.shift()?.();
    }
  }

  /** Whether a session's change is looked at now: an agent that writes all the time costs no more than a person. */
  #may(file: string): boolean {
    const nowMs = this.#parts.elapsedMs();
    const { tokens, atMs } = this.#budgets.get(file) ?? { tokens: burst, atMs: nowMs };
    const left = Math.min(burst, tokens + (nowMs - atMs) / refillMs);
    const may = left >= 1;
    this.#budgets.set(file, { tokens: may ? left - 1 : left, atMs: nowMs });
    return may;
  }
}

/** Undefined where the tool has no login that coi keeps. */
function followedOf(
  instance: Instance,
  { tool, session, owner, mounts }: SessionRecord,
  homeOf: LoginsParts['homeOf'],
): Followed | undefined {
  const login = loginFileOf(tool);
  if (!login) return undefined;
  const inside = `/sessions-${tool}/${session}/${dirname(login.path)}`;
  const source = mounts.mounts.find((mount) => mount.source.endsWith(inside))?.source;
  const top = source?.slice(0, -inside.length);
  // ~/.coi may be a link of the user's.
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

async function stated(look: () => Promise<Stats>): Promise<Stats | undefined> {
  try {
    return await look();
  } catch {
    return undefined;
  }
}

function markOf(stats: Stats | undefined): string {
  return stats ? `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}` : 'none';
}
