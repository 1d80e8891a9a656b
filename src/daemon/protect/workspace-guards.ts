// The guards of all workspaces with sessions: one per workspace, shared by its sessions. The original attributes are
// saved in <state dir>/protect/, so that they can be restored after coid is killed or the host crashes.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import { openBeneathDescriptor } from '../../host/fs/beneath.ts';
import { bootId } from '../../host/fs/meta/identity.ts';
import type { OpenSource } from '../../host/fs/open-mount-source.ts';
import { SystemCallError } from '../../host/linux/libc.ts';
import { type Ancestor, nothingProtected } from '../../session/protect/protection-types.ts';
import { CheckSchedule } from './check-schedule.ts';
import { type GuardRecord, keyOf, recordFor } from './guard/record.ts';
import { GuardRecords } from './guard/records.ts';
import { unguardableError } from './guard/refusal.ts';
import { updateForBoot } from './guard/remove.ts';
import type { Owner } from './guard/state.ts';
import { GuardRemoval } from './guard-removal.ts';
import { GuardRepair } from './guard-repair.ts';
import type { GuardedWorkspace, WorkspaceGuardsParts } from './guarded-workspace.ts';
import { newGuardedWorkspace } from './guarded-workspace.ts';
import { filterForFirstSession, filterForJoiningSession } from './tree-filter.ts';
import { Watchers } from './watchers.ts';
import { HeldRoot, type RootParts } from './workspace-root.ts';

export class WorkspaceGuards {
  readonly #parts: WorkspaceGuardsParts;
  readonly #roots: RootParts;
  readonly #records: GuardRecords;
  readonly #guarded = new Map<string, GuardedWorkspace>();
  readonly #repair: GuardRepair;
  readonly #removal: GuardRemoval;

  constructor(parts: WorkspaceGuardsParts) {
    this.#parts = parts;
    this.#roots = { ...parts, boot: bootId() };
    this.#records = new GuardRecords(parts.stateDir);
    this.#repair = new GuardRepair(parts, this.#roots, this.#records);
    this.#removal = new GuardRemoval(parts, this.#roots, this.#records);
  }

  /** Takes over the guards of an earlier coid. */
  async load(): Promise<void> {
    const records = this.#records.load();
    await this.#parts.files.check(records.map(({ root }) => root));
    // All of them first: a new name may be the old name of another.
    const changes = records.map((before) => ({ before, now: updateForBoot(this.#roots, before) }));
    this.#records.renumber(changes);
    for (const { now: record } of changes) {
      if (record.users.length === 0) {
        this.#removal.remove(record, nothingProtected);
        continue;
      }
      const users = new Map(
        record.users.map((id) => [id, this.#parts.elapsedMs() + this.#parts.graceMs]),
      );
      const guarded = this.#newGuarded(record, users);
      this.#guarded.set(keyOf(record.device, record.inode), guarded);
      this.#repair.repair(guarded, false);
      guarded.schedule.soon();
    }
  }

  /**
   * Guards a workspace for a session. Returns the directories that need their own mount. `own` is the directory of the
   * session's worktree in it. Throws `unprotected-path`.
   */
  protect(
    id: string,
    root: OpenSource,
    request: ProtectRequest,
    owner: Owner,
    own?: string,
  ): readonly Ancestor[] {
    const { dev, ino } = root.stats;
    const key = keyOf(dev, ino);
    const known = this.#guarded.get(key);
    const { boot } = this.#roots;
    const before = known?.record ?? this.#removal.reclaim(key);
    const record = recordFor({ root, owner, request, boot }, before);
    const guarded = known ?? this.#newGuarded(record, new Map());
    guarded.record = { ...record, users: guarded.record.users };
    guarded.held ??= HeldRoot.of(this.#parts.libc, root.fd);
    guarded.locations.clear();
    guarded.outside.clear();
    guarded.users.set(id, this.#parts.elapsedMs() + this.#parts.graceMs);
    this.#guarded.set(key, guarded);
    using below = openBeneathDescriptor(this.#parts.libc, root.fd);
    try {
      const left = known
        ? filterForJoiningSession(record.state, record.whole, own)
        : filterForFirstSession(own);
      this.#repair.apply(guarded, below, guarded.record.request, { left });
      const { ancestors, missing, whole } = guarded.plan;
      const mounted = [...new Set([...record.mounted, ...ancestors.map(({ path }) => path)])];
      this.#repair.save(guarded, {
        missing,
        mounted,
        whole: [...new Set([...record.whole, ...whole])],
      });
      guarded.schedule.soon();
    } catch (error) {
      this.#release(key, guarded, id);
      if (!(error instanceof SystemCallError)) throw error;
      if (request.mode === 'guard') throw unguardableError(root, error);
      this.#parts.log('warning', 'protection-failed', { root: root.path, error });
      return [];
    }
    return guarded.plan.ancestors;
  }

  /** Whether the workspace is guarded for that session. */
  has(id: string): boolean {
    return [...this.#guarded.values()].some(({ users }) => users.has(id));
  }

  /** Releases guards of sessions that are neither live nor about to start. Returns in how many ms to call it again. */
  release(live: ReadonlySet<string>): number | undefined {
    const nowMs = this.#parts.elapsedMs();
    let againMs: number | undefined;
    for (const [key, guarded] of [...this.#guarded]) {
      for (const [id, heldMs] of [...guarded.users]) {
        if (live.has(id)) continue;
        if (heldMs <= nowMs) this.#release(key, guarded, id);
        else againMs = Math.min(againMs ?? Number.POSITIVE_INFINITY, heldMs - nowMs + 1);
      }
    }
    return againMs;
  }

  /** Releases a session's guard at once, after its reservation was released. */
  drop(id: string): void {
    for (const [key, guarded] of [...this.#guarded])
      if (guarded.users.has(id)) this.#release(key, guarded, id);
  }

  /** Stops watching. The guards stay for the next coid. */
  close(): void {
    for (const guarded of this.#guarded.values()) this.#unwatch(guarded);
    this.#removal.close();
  }

  /** Checks all workspaces, because a file system responds again. */
  checkAll(): void {
    for (const { schedule } of this.#guarded.values()) schedule.soon();
    void this.#removal.retry();
  }

  /** Workspaces that were not found, so their guard could not be removed. */
  get notRemoved(): readonly string[] {
    return this.#removal.notFound;
  }

  #release(key: string, guarded: GuardedWorkspace, id: string): void {
    guarded.users.delete(id);
    if (guarded.users.size > 0) {
      this.#repair.save(guarded);
      return;
    }
    this.#guarded.delete(key);
    this.#repair.save(guarded);
    this.#removal.remove(guarded.record, guarded.plan, guarded.held);
    this.#unwatch(guarded);
  }

  #newGuarded(record: GuardRecord, users: Map<string, number>): GuardedWorkspace {
    const check = async () => {
      await this.#parts.files.check([guarded.record.root]);
      return users.size > 0 ? this.#repair.repair(guarded, true) : undefined;
    };
    const schedule = new CheckSchedule(this.#parts.elapsedMs, check);
    const watchers = new Watchers(() => schedule.soon());
    const guarded = newGuardedWorkspace(record, users, schedule, watchers);
    return guarded;
  }

  #unwatch(guarded: GuardedWorkspace): void {
    guarded.schedule.close();
    guarded.watchers.close();
    guarded.held?.[Symbol.dispose]();
    guarded.held = undefined;
  }
}
