// Removes guards. If the workspace is not found (its disk is not mounted, or it was moved while no session ran), its
// record is kept and the removal retried, also by every later coid.
import { nothingProtected, type ProtectionPlan } from '../../session/protect/protection-types.ts';
import { type GuardRecord, keyOf } from './guard/record.ts';
import type { GuardRecords } from './guard/records.ts';
import { removeGuard } from './guard/remove.ts';
import type { WorkspaceGuardsParts } from './guarded-workspace.ts';
import { type HeldRoot, isRootUnresponsive, openRoot, type RootParts } from './workspace-root.ts';

/** How long a remounted disk may wait for the removal. Opening a path is cheap. */
const everyMs = 30_000;
const missingDays = 90;
const dayMs = 86_400_000;

export class GuardRemoval {
  readonly #parts: WorkspaceGuardsParts;
  readonly #roots: RootParts;
  readonly #records: GuardRecords;
  readonly #left = new Map<string, GuardRecord>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: WorkspaceGuardsParts, roots: RootParts, records: GuardRecords) {
    this.#parts = parts;
    this.#roots = roots;
    this.#records = records;
  }

  /** Paths of workspaces that were not found. */
  get notFound(): readonly string[] {
    return [...this.#left.values()].map(({ root }) => root);
  }

  /** `held`: the root, opened while sessions ran. */
  remove(record: GuardRecord, plan: ProtectionPlan, held?: HeldRoot): void {
    const outcome = this.#tryRemove(record, plan, held);
    this.#parts.log('info', 'unprotected', { root: record.root, found: outcome === 'found' });
    if (outcome !== 'left') return;
    this.#left.set(keyOf(record.device, record.inode), record);
    this.#timer ??= setInterval(() => void this.retry(), everyMs).unref();
  }

  /** Takes back the record of a workspace in which a session starts: it has the original attributes. */
  reclaim(key: string): GuardRecord | undefined {
    const record = this.#left.get(key);
    this.#left.delete(key);
    return record;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Retries workspaces that were not found. */
  async retry(): Promise<void> {
    await this.#parts.files.check(this.notFound);
    for (const [key, record] of this.#left)
      if (this.#tryRemove(record, nothingProtected) !== 'left') this.#left.delete(key);
    if (this.#left.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tryRemove(
    record: GuardRecord,
    plan: ProtectionPlan,
    held?: HeldRoot,
  ): 'found' | 'gone' | 'left' {
    const { owner, state } = record;
    if (isRootUnresponsive(this.#roots, record)) return 'left';
    using root = openRoot(this.#roots, record, held);
    if (root) removeGuard(this.#parts.libc, root.below, plan, owner, state);
    const ageMs = this.#parts.now().getTime() - this.#records.writtenMs(record);
    if (!root && ageMs < missingDays * dayMs) return 'left';
    this.#records.remove(record);
    return root ? 'found' : 'gone';
  }
}
