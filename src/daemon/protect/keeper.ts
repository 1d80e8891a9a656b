// Keeps the guards of all workspaces with sessions: one for each workspace, however many sessions share it. What has to be
// put back is in <state dir>/protect/, so that a coid that was killed, or a host that went down, leaves nothing behind.
import { openSync } from 'node:fs';
import { Below } from '../../host/guarded.ts';
import { bootId } from '../../host/identity.ts';
import { SystemCallError } from '../../host/libc.ts';
import type { Source } from '../../host/open-source.ts';
import { type Ancestor, isThere, nothingProtected } from '../../session/protect.ts';
import type { ProtectRequest } from '../../session/protect-request.ts';
import { type Application, applyGuard } from './guard.ts';
import {
  failed,
  type Guarded,
  type KeeperParts,
  lookedAt,
  retryMs,
  told,
  unguarded,
} from './guarded-workspace.ts';
import { leftToOthers, ownOnly } from './hidden.ts';
import { type GuardRecord, keyOf, recordFor } from './record.ts';
import { GuardRecords } from './records.ts';
import { unguardable } from './refusal.ts';
import { onThisBoot } from './remove.ts';
import { Rhythm } from './rhythm.ts';
import type { GuardState, Owner } from './state.ts';
import { TakingAway } from './taking-away.ts';
import { againstGuard, newlyMade, newlyMissing, type Tampering } from './tampering.ts';
import { factsOf } from './tree-facts.ts';
import { Watchers } from './watchers.ts';
import {
  type FoundRoot,
  HeldRoot,
  isHeldRoot,
  openRoot,
  type RootParts,
} from './workspace-root.ts';

const O_PATH_DIRECTORY = 0o10200000;
/** A file that the host made is left alone for that long: its mode is set next. */
const youngMs = 250;

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #roots: RootParts;
  readonly #records: GuardRecords;
  readonly #guarded = new Map<string, Guarded>();
  readonly #taking: TakingAway;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#roots = { ...parts, boot: bootId() };
    this.#records = new GuardRecords(parts.stateDir);
    this.#taking = new TakingAway(parts, this.#roots, this.#records);
  }

  /** Takes over what an earlier coid guarded. */
  async load(): Promise<void> {
    const records = this.#records.load();
    await this.#parts.files.look(records.map(({ root }) => root));
    // All of them first: what one is called now may have been the name of another.
    const changes = records.map((before) => ({ before, now: onThisBoot(this.#roots, before) }));
    this.#records.renumber(changes);
    for (const { now: record } of changes) {
      if (record.users.length === 0) {
        this.#taking.takeAway(record, nothingProtected);
        continue;
      }
      const users = new Map(
        record.users.map((id) => [id, this.#parts.elapsedMs() + this.#parts.holdMs]),
      );
      const guarded = this.#guardOf(record, users);
      this.#guarded.set(keyOf(record.device, record.inode), guarded);
      this.#mend(guarded, false);
      guarded.rhythm.soon();
    }
  }

  /**
   * Guards a workspace for a session; gives the directories that need a mount of their own. `own` is the directory of the
   * session's worktree in it. Throws `unprotected-path`.
   */
  protect(
    id: string,
    root: Source,
    request: ProtectRequest,
    owner: Owner,
    own?: string,
  ): readonly Ancestor[] {
    const { dev, ino } = root.stats;
    const key = keyOf(dev, ino);
    const known = this.#guarded.get(key);
    const { boot } = this.#roots;
    const before = known?.record ?? this.#taking.resume(key);
    const record = recordFor({ root, owner, request, boot }, before);
    const guarded = known ?? this.#guardOf(record, new Map());
    guarded.record = { ...record, users: guarded.record.users };
    guarded.held ??= HeldRoot.of(this.#parts.libc, root.fd);
    guarded.places.clear();
    guarded.outside.clear();
    guarded.users.set(id, this.#parts.elapsedMs() + this.#parts.holdMs);
    this.#guarded.set(key, guarded);
    using below = new Below(
      this.#parts.libc,
      openSync(`/proc/self/fd/${root.fd}`, O_PATH_DIRECTORY),
    );
    try {
      const left = known ? leftToOthers(record.state, record.whole, own) : ownOnly(own);
      this.#apply(guarded, below, guarded.record.request, { left });
      const { ancestors, missing, whole } = guarded.plan;
      const mounted = [...new Set([...record.mounted, ...ancestors.map(({ path }) => path)])];
      this.#save(guarded, { missing, mounted, whole: [...new Set([...record.whole, ...whole])] });
      guarded.rhythm.soon();
    } catch (error) {
      this.#leave(key, guarded, id);
      if (!(error instanceof SystemCallError)) throw error;
      if (request.mode === 'guard') throw unguardable(root, error);
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
    this.#taking.close();
  }

  /** Looks everywhere: a file system answers again. */
  again(): void {
    for (const { rhythm } of this.#guarded.values()) rhythm.soon();
    void this.#taking.again();
  }

  /** Workspaces that were not found, so that their guard is still there. */
  get left(): readonly string[] {
    return this.#taking.left;
  }

  #leave(key: string, guarded: Guarded, id: string): void {
    guarded.users.delete(id);
    if (guarded.users.size > 0) {
      this.#save(guarded);
      return;
    }
    this.#guarded.delete(key);
    this.#save(guarded);
    this.#taking.takeAway(guarded.record, guarded.plan, guarded.held);
    this.#unwatch(guarded);
  }

  /** What was found changed that nobody has a reason to change, and whether something is left for the next look. */
  #apply(
    guarded: Guarded,
    below: Below,
    request: ProtectRequest,
    when: Pick<Application, 'running' | 'left'>,
  ): { readonly found: readonly Tampering[]; readonly young: boolean } {
    const { root, missing, mounted } = guarded.record;
    const looked = lookedAt(this.#parts, guarded, below);
    const save = (state: GuardState) => this.#save(guarded, { state });
    const once = () => {
      const before = guarded.record.state;
      const applied = applyGuard({ ...looked, request, before, ...when, save });
      guarded.plan = applied.plan;
      save(applied.state);
      const { changed: n } = applied;
      if (n > 0) this.#parts.log('info', 'protected', { root, n });
      const watched = { ...applied.plan, missing: [...applied.plan.missing, ...missing] };
      return { ...applied, fresh: guarded.watchers.follow(watched, applied.directories, below) };
    };
    const { stripped, replaced, fresh, young } = once();
    // What happened before the first watch is seen by a second look.
    const again = fresh && once();
    return {
      found: againstGuard(stripped, replaced, mounted),
      young: young || (again && (again.young || again.fresh)),
    };
  }

  /**
   * Puts the guard back after something changed: the host's git and editors replace files. What was not there at the
   * start is not guarded, since the session's mounts have no way into it; that it was made is told. Returns when to look
   * again, if that is known.
   */
  #mend(guarded: Guarded, tell: boolean): number | undefined {
    try {
      return this.#mendNow(guarded, tell);
    } catch (error) {
      return failed(this.#parts, guarded, error);
    }
  }

  #mendNow(guarded: Guarded, tell: boolean): number | undefined {
    // Nobody can change anything there either; what was changed before is found when it answers again.
    if (isHeldRoot(this.#roots, guarded.record)) return retryMs;
    using at = this.#rootOf(guarded, tell);
    if (!at) return undefined;
    const opened = at.below;
    const { request, missing, mounted, whole = [] } = guarded.record;
    const found: Tampering[] = [];
    let againMs: number | undefined;
    try {
      const youngSinceMs = this.#parts.now().getTime() - youngMs;
      const running = { mounted, missing, whole, youngSinceMs };
      const { readonlyGit: _, ...lasting } = request;
      const asked = { ...lasting, mode: 'watch' as const };
      const applied = this.#apply(guarded, opened, asked, { running });
      found.push(...applied.found);
      if (applied.young) againMs = youngMs / 2;
      guarded.failingSinceMs = undefined;
    } catch (error) {
      againMs = failed(this.#parts, guarded, error);
    }
    const facts = factsOf(lookedAt(this.#parts, guarded, opened));
    const nowMs = this.#parts.elapsedMs();
    found.push(...newlyMade(missing, guarded.told, (path) => isThere(facts, path), nowMs));
    const more = newlyMissing(guarded.plan.missing, missing, guarded.record.state.entries);
    if (more.length > 0) this.#save(guarded, { missing: [...missing, ...more] });
    if (tell) told(this.#parts, guarded, found);
    return againMs;
  }

  /** Where it was moved, it is guarded there. Where it cannot be found, its sessions stop: nobody would guard it. */
  #rootOf(guarded: Guarded, tell: boolean): FoundRoot | undefined {
    const { root } = guarded.record;
    const found = openRoot(this.#roots, guarded.record, guarded.held);
    if (!found) {
      if (!guarded.lost) this.#parts.log('warning', 'workspace-lost', { root });
      guarded.lost = true;
      if (tell) this.#parts.tampered([...guarded.users.keys()], { path: root, what: 'lost' });
      return undefined;
    }
    guarded.lost = false;
    guarded.held ??= found.hold();
    if (found.path !== root) {
      this.#parts.log('info', 'workspace-moved', { root, to: found.path });
      guarded.places.clear();
      guarded.outside.clear();
      this.#save(guarded, { root: found.path });
    }
    return found;
  }

  #guardOf(record: GuardRecord, users: Map<string, number>): Guarded {
    const look = async () => {
      await this.#parts.files.look([guarded.record.root]);
      return users.size > 0 ? this.#mend(guarded, true) : undefined;
    };
    const rhythm = new Rhythm(this.#parts.elapsedMs, look);
    const watchers = new Watchers(() => rhythm.soon());
    const guarded = unguarded(record, users, rhythm, watchers);
    return guarded;
  }

  #unwatch(guarded: Guarded): void {
    guarded.rhythm.close();
    guarded.watchers.close();
    guarded.held?.[Symbol.dispose]();
    guarded.held = undefined;
  }

  #save(guarded: Guarded, changes: Partial<GuardRecord> = {}): void {
    const next = { ...guarded.record, ...changes, users: [...guarded.users.keys()] };
    const text = JSON.stringify(next);
    // What entries were before must not be lost; all else can be found out again.
    const flush = next.state.entries !== guarded.record.state.entries;
    guarded.record = next;
    if (text === guarded.saved) return;
    this.#records.write(next, text, flush);
    guarded.saved = text;
  }
}
