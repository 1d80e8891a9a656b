// Applies and repairs the guard of one workspace, and reports tampering.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import type { Beneath } from '../../host/fs/beneath.ts';
import { existsNow } from '../../session/protect/protect.ts';
import { applyGuard, type GuardApplication } from './guard/apply.ts';
import type { GuardRecord } from './guard/record.ts';
import type { GuardRecords } from './guard/records.ts';
import type { GuardState } from './guard/state.ts';
import {
  type GuardedWorkspace,
  handleFailure,
  reportTampering,
  retryMs,
  treeContextOf,
  type WorkspaceGuardsParts,
} from './guarded-workspace.ts';
import { guardAttacks, newlyCreated, newlyMissing, type Tampering } from './tampering.ts';
import { treeFacts } from './tree-facts.ts';
import { type FoundRoot, isRootUnresponsive, openRoot, type RootParts } from './workspace-root.ts';

/** A file that the host created is left alone for this long: its mode is set next. */
const youngMs = 250;

export class GuardRepair {
  readonly #parts: WorkspaceGuardsParts;
  readonly #roots: RootParts;
  readonly #records: GuardRecords;

  constructor(parts: WorkspaceGuardsParts, roots: RootParts, records: GuardRecords) {
    this.#parts = parts;
    this.#roots = roots;
    this.#records = records;
  }

  /** Returns suspicious changes, and whether the next check still has work to do. */
  apply(
    guarded: GuardedWorkspace,
    below: Beneath,
    request: ProtectRequest,
    when: Pick<GuardApplication, 'running' | 'left'>,
  ): { readonly found: readonly Tampering[]; readonly young: boolean } {
    const { root, missing, mounted } = guarded.record;
    const context = treeContextOf(this.#parts, guarded, below);
    const save = (state: GuardState) => this.save(guarded, { state });
    const once = () => {
      const before = guarded.record.state;
      const applied = applyGuard({ ...context, request, before, ...when, save });
      guarded.plan = applied.plan;
      save(applied.state);
      const { changed: n } = applied;
      if (n > 0) this.#parts.log('info', 'protected', { root, n });
      const watched = { ...applied.plan, missing: [...applied.plan.missing, ...missing] };
      return { ...applied, fresh: guarded.watchers.update(watched, applied.directories, below) };
    };
    const { stripped, replaced, fresh, young } = once();
    // A second check sees what happened before the first watch.
    const again = fresh && once();
    return {
      found: guardAttacks(stripped, replaced, mounted),
      young: young || (again && (again.young || again.fresh)),
    };
  }

  /**
   * Restores the guard after a change: the host's git and editors replace files. Paths that did not exist at the start
   * cannot be guarded, because the session's mounts lack them, but their creation is reported. Returns when to check
   * again, if known.
   */
  repair(guarded: GuardedWorkspace, report: boolean): number | undefined {
    try {
      return this.#repairNow(guarded, report);
    } catch (error) {
      return handleFailure(this.#parts, guarded, error);
    }
  }

  #repairNow(guarded: GuardedWorkspace, report: boolean): number | undefined {
    // Nothing can change there now; earlier changes are found when it responds again.
    if (isRootUnresponsive(this.#roots, guarded.record)) return retryMs;
    using at = this.#openRoot(guarded, report);
    if (!at) return undefined;
    const opened = at.below;
    const { request, missing, mounted, whole = [] } = guarded.record;
    const found: Tampering[] = [];
    let againMs: number | undefined;
    try {
      const youngSinceMs = this.#parts.now().getTime() - youngMs;
      const running = { mounted, missing, whole, youngSinceMs };
      const { readonlyGit: _, ...lasting } = request;
      const watchRequest = { ...lasting, mode: 'watch' as const };
      const applied = this.apply(guarded, opened, watchRequest, { running });
      found.push(...applied.found);
      if (applied.young) againMs = youngMs / 2;
      guarded.failingSinceMs = undefined;
    } catch (error) {
      againMs = handleFailure(this.#parts, guarded, error);
    }
    const facts = treeFacts(treeContextOf(this.#parts, guarded, opened));
    const nowMs = this.#parts.elapsedMs();
    found.push(...newlyCreated(missing, guarded.reported, (path) => existsNow(facts, path), nowMs));
    const more = newlyMissing(guarded.plan.missing, missing, guarded.record.state.entries);
    if (more.length > 0) this.save(guarded, { missing: [...missing, ...more] });
    if (report) reportTampering(this.#parts, guarded, found);
    return againMs;
  }

  /** Follows a moved workspace. If it cannot be found, its sessions are paused, because it would be unguarded. */
  #openRoot(guarded: GuardedWorkspace, report: boolean): FoundRoot | undefined {
    const { root } = guarded.record;
    const found = openRoot(this.#roots, guarded.record, guarded.held);
    if (!found) {
      if (!guarded.lost) this.#parts.log('warning', 'workspace-lost', { root });
      guarded.lost = true;
      if (report) this.#parts.tampered([...guarded.users.keys()], { path: root, what: 'lost' });
      return undefined;
    }
    guarded.lost = false;
    guarded.held ??= found.hold();
    if (found.path !== root) {
      this.#parts.log('info', 'workspace-moved', { root, to: found.path });
      guarded.locations.clear();
      guarded.outside.clear();
      this.save(guarded, { root: found.path });
    }
    return found;
  }

  /** Saves what has to be restored. */
  save(guarded: GuardedWorkspace, changes: Partial<GuardRecord> = {}): void {
    const next = { ...guarded.record, ...changes, users: [...guarded.users.keys()] };
    const text = JSON.stringify(next);
    // The original attributes must not be lost; everything else can be determined again.
    const flush = next.state.entries !== guarded.record.state.entries;
    guarded.record = next;
    if (text === guarded.saved) return;
    this.#records.write(next, text, flush);
    guarded.saved = text;
  }
}
