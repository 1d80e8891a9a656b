// Keeps the guards of all workspaces with sessions: one for each workspace, however many sessions share it. What has to be
// put back is in <state dir>/protect/, so that a coid that was killed, or a host that went down, leaves nothing behind.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import { belowDescriptor } from '../../host/fs/beneath.ts';
import { bootId } from '../../host/fs/meta/identity.ts';
import type { Source } from '../../host/fs/open-source.ts';
import { SystemCallError } from '../../host/linux/libc.ts';
import { type Ancestor, nothingProtected } from '../../session/protect/protection-types.ts';
import { type GuardRecord, keyOf, recordFor } from './guard/record.ts';
import { GuardRecords } from './guard/records.ts';
import { unguardable } from './guard/refusal.ts';
import { onThisBoot } from './guard/remove.ts';
import type { Owner } from './guard/state.ts';
import { GuardLooks } from './guard-looks.ts';
import type { Guarded, KeeperParts } from './guarded-workspace.ts';
import { unguarded } from './guarded-workspace.ts';
import { leftToOthers, ownOnly } from './hidden.ts';
import { LookSchedule } from './look-schedule.ts';
import { TakingAway } from './taking-away.ts';
import { Watchers } from './watchers.ts';
import { HeldRoot, type RootParts } from './workspace-root.ts';

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #roots: RootParts;
  readonly #records: GuardRecords;
  readonly #guarded = new Map<string, Guarded>();
  readonly #looks: GuardLooks;
  readonly #taking: TakingAway;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#roots = { ...parts, boot: bootId() };
    this.#records = new GuardRecords(parts.stateDir);
    this.#looks = new GuardLooks(parts, this.#roots, this.#records);
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
      this.#looks.mend(guarded, false);
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
    using below = belowDescriptor(this.#parts.libc, root.fd);
    try {
      const left = known ? leftToOthers(record.state, record.whole, own) : ownOnly(own);
      this.#looks.apply(guarded, below, guarded.record.request, { left });
      const { ancestors, missing, whole } = guarded.plan;
      const mounted = [...new Set([...record.mounted, ...ancestors.map(({ path }) => path)])];
      this.#looks.save(guarded, {
        missing,
        mounted,
        whole: [...new Set([...record.whole, ...whole])],
      });
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
      this.#looks.save(guarded);
      return;
    }
    this.#guarded.delete(key);
    this.#looks.save(guarded);
    this.#taking.takeAway(guarded.record, guarded.plan, guarded.held);
    this.#unwatch(guarded);
  }

  #guardOf(record: GuardRecord, users: Map<string, number>): Guarded {
    const look = async () => {
      await this.#parts.files.look([guarded.record.root]);
      return users.size > 0 ? this.#looks.mend(guarded, true) : undefined;
    };
    const rhythm = new LookSchedule(this.#parts.elapsedMs, look);
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
}
