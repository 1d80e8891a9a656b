// Does what the reconciliation says.
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { updateContainer } from '../../session/record/change-instance.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { MountTrees } from '../mounts/mount-trees.ts';
import type { Remounts } from '../mounts/remounts.ts';
import type { Keeper } from '../protect/workspace-guards.ts';
import { beingMadeMs, keptWhileMade, type Leases } from '../reservations/leases.ts';
import { finish } from './delete-ended.ts';
import { type Action, type FinishAction, forgetGone, marks } from './plan.ts';

export interface ActionsParts {
  readonly incus: Incus;
  readonly trees: MountTrees;
  readonly roots: Pick<MountRoots, 'settle'>;
  readonly leases: Leases;
  readonly remounts: Remounts;
  readonly keeper: Pick<Keeper, 'drop'>;
  readonly log: Log;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Looks at the world again after at most that time. */
  readonly lookWithin: (delayMs: number) => void;
}

/** While an operation of somebody else holds a container that is to be finished. */
const busyMs = { ended: 200, debris: 10_000 };
/** After a mark that Incus refused, as it does while a device is being added, or the source of a mount is missing. */
const markAgainMs = 5_000;
const retryMs = 2000; // after a failure

export class Actions {
  readonly #parts: ActionsParts;
  /** Ids of the mounts of containers that are being deleted. */
  readonly #finishing = new Set<string>();
  /** What could not be restored and why, by the id of the mounts. */
  readonly #unrestored = new Map<string, string>();

  constructor(parts: ActionsParts) {
    this.#parts = parts;
  }

  /** Forgets what was missing for containers that are gone. */
  forget(instances: readonly Instance[]): void {
    forgetGone(this.#unrestored, instances);
  }

  /** Everything but ends; throws what Incus refuses. */
  async act(action: Exclude<Action, FinishAction>): Promise<void> {
    const { incus, trees, roots, leases, keeper, log, signal } = this.#parts;
    switch (action.kind) {
      case 'restore-mounts':
        this.#restore(action.name, action.session);
        return;
      case 'mark-live':
      case 'mark-kept': {
        const { kind, name, id } = action;
        const mark = updateContainer(incus, { name, mountsId: id }, marks[kind], { signal });
        return mark.catch((error: unknown) => {
          log('info', `not-${kind}`, { name, error: String(error) });
          this.#parts.lookWithin(markAgainMs);
        });
      }
      case 'drop-lease':
        leases.remove(action.id);
        return;
      case 'expire-lease':
      case 'remove-mounts': {
        const { kind, id } = action;
        if (kind === 'expire-lease' && (await keptWhileMade(this.#parts, id))) {
          this.#parts.lookWithin(beingMadeMs);
          return;
        }
        roots.settle(id);
        trees.remove(id);
        keeper.drop(id);
        log('info', kind === 'expire-lease' ? 'lease-expired' : 'mounts-removed', { id });
        if (kind === 'remove-mounts') return;
        leases.remove(id);
        this.#parts.lookWithin(0); // for what it left, which was reserved until now
        return;
      }
      default:
        action satisfies never;
    }
  }

  /** A source that is gone stays missing, so it is said once, not at every look. */
  #restore(name: string, session: SessionRecord): void {
    const { remounts, log } = this.#parts;
    const missing = remounts.restore(session).errors.map(String).join('; ');
    if (missing !== '' && this.#unrestored.get(session.mounts.id) === missing) return;
    this.#unrestored.set(session.mounts.id, missing);
    if (missing === '') log('info', 'mounts-restored', { name });
    else log('warning', 'mounts-missing', { name, missing });
  }

  /** Deletes an ended container; never throws. */
  async finish(action: FinishAction): Promise<void> {
    const { incus, log, signal } = this.#parts;
    const { name, id, reason } = action;
    if (this.#finishing.has(id)) return;
    this.#finishing.add(id);
    let againMs = 0;
    try {
      const finished = await finish(incus, action, signal);
      if (finished === 'gone') log('info', 'finished', { name, id, reason });
      if (finished === 'busy') againMs = busyMs[reason];
    } catch (error) {
      if (!signal.aborted) log('warning', 'finish-failed', { name, error });
      againMs = retryMs;
    } finally {
      this.#finishing.delete(id);
      this.#parts.lookWithin(againMs);
    }
  }
}
