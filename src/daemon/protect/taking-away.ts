// Takes guards away. One whose workspace is not found (its disk is away, or it was moved while nothing ran in it) is kept
// and looked for again, by every coid that starts as well.
import { nothingProtected, type ProtectionPlan } from '../../session/protect/protection-types.ts';
import { type GuardRecord, keyOf } from './guard/record.ts';
import type { GuardRecords } from './guard/records.ts';
import { removeGuard } from './guard/remove.ts';
import type { KeeperParts } from './guarded-workspace.ts';
import { type HeldRoot, isHeldRoot, openRoot, type RootParts } from './workspace-root.ts';

/** Opening a path costs nothing; who puts a disk back waits that long at most. */
const everyMs = 30_000;
const missingDays = 90;
const dayMs = 86_400_000;

export class TakingAway {
  readonly #parts: KeeperParts;
  readonly #roots: RootParts;
  readonly #records: GuardRecords;
  readonly #left = new Map<string, GuardRecord>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: KeeperParts, roots: RootParts, records: GuardRecords) {
    this.#parts = parts;
    this.#roots = roots;
    this.#records = records;
  }

  /** Paths of those that were not found. */
  get left(): readonly string[] {
    return [...this.#left.values()].map(({ root }) => root);
  }

  /** `held`: the root as it was opened while sessions ran. */
  takeAway(record: GuardRecord, plan: ProtectionPlan, held?: HeldRoot): void {
    const outcome = this.#tried(record, plan, held);
    this.#parts.log('info', 'unprotected', { root: record.root, found: outcome === 'found' });
    if (outcome !== 'left') return;
    this.#left.set(keyOf(record.device, record.inode), record);
    this.#timer ??= setInterval(() => void this.again(), everyMs).unref();
  }

  /** Of a workspace in which a session begins: it is guarded again, and what it was before is known. */
  resume(key: string): GuardRecord | undefined {
    const record = this.#left.get(key);
    this.#left.delete(key);
    return record;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Looks for those that were not found. */
  async again(): Promise<void> {
    await this.#parts.files.look(this.left);
    for (const [key, record] of this.#left)
      if (this.#tried(record, nothingProtected) !== 'left') this.#left.delete(key);
    if (this.#left.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tried(record: GuardRecord, plan: ProtectionPlan, held?: HeldRoot): 'found' | 'gone' | 'left' {
    const { owner, state } = record;
    if (isHeldRoot(this.#roots, record)) return 'left';
    using root = openRoot(this.#roots, record, held);
    if (root) removeGuard(this.#parts.libc, root.below, plan, owner, state);
    const ageMs = this.#parts.now().getTime() - this.#records.writtenMs(record);
    if (!root && ageMs < missingDays * dayMs) return 'left';
    this.#records.remove(record);
    return root ? 'found' : 'gone';
  }
}
