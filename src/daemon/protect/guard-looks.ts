// Looks after one guarded workspace: puts its guard in force, and back where it was changed, and tells what it found.
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import type { Below } from '../../host/fs/beneath.ts';
import { isThere } from '../../session/protect/protect.ts';
import { type Application, applyGuard } from './guard/apply.ts';
import type { GuardRecord } from './guard/record.ts';
import type { GuardRecords } from './guard/records.ts';
import type { GuardState } from './guard/state.ts';
import {
  failed,
  type Guarded,
  type KeeperParts,
  lookedAt,
  retryMs,
  told,
} from './guarded-workspace.ts';
import { againstGuard, newlyMade, newlyMissing, type Tampering } from './tampering.ts';
import { factsOf } from './tree-facts.ts';
import { type FoundRoot, isHeldRoot, openRoot, type RootParts } from './workspace-root.ts';

/** A file that the host made is left alone for that long: its mode is set next. */
const youngMs = 250;

export class GuardLooks {
  readonly #parts: KeeperParts;
  readonly #roots: RootParts;
  readonly #records: GuardRecords;

  constructor(parts: KeeperParts, roots: RootParts, records: GuardRecords) {
    this.#parts = parts;
    this.#roots = roots;
    this.#records = records;
  }

  /** What was found changed that nobody has a reason to change, and whether something is left for the next look. */
  apply(
    guarded: Guarded,
    below: Below,
    request: ProtectRequest,
    when: Pick<Application, 'running' | 'left'>,
  ): { readonly found: readonly Tampering[]; readonly young: boolean } {
    const { root, missing, mounted } = guarded.record;
    const looked = lookedAt(this.#parts, guarded, below);
    const save = (state: GuardState) => this.save(guarded, { state });
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
  mend(guarded: Guarded, tell: boolean): number | undefined {
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
      const applied = this.apply(guarded, opened, asked, { running });
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
    if (more.length > 0) this.save(guarded, { missing: [...missing, ...more] });
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
      this.save(guarded, { root: found.path });
    }
    return found;
  }

  /** Writes down what has to be put back. */
  save(guarded: Guarded, changes: Partial<GuardRecord> = {}): void {
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
