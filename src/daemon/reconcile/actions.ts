// Executes the actions of a reconcile plan.
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { updateContainer } from '../../session/record/change-instance.ts';
import type { SessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { MountTrees } from '../mounts/mount-trees.ts';
import type { Remounts } from '../mounts/remounts.ts';
import type { WorkspaceGuards } from '../protect/workspace-guards.ts';
import { extendWhileCreating, extensionMs, type Leases } from '../reservations/leases.ts';
import { deleteEnded } from './delete-ended.ts';
import { type Action, dropDeleted, type FinishAction, marks } from './plan.ts';

export interface ActionsParts {
  readonly incus: Incus;
  readonly trees: MountTrees;
  readonly roots: Pick<MountRoots, 'updatePaths'>;
  readonly leases: Leases;
  readonly remounts: Remounts;
  readonly workspaceGuards: Pick<WorkspaceGuards, 'drop'>;
  readonly log: Log;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Schedules the next reconcile pass within that time. */
  readonly reconcileWithin: (delayMs: number) => void;
}

/** Retry delay while another operation uses the container that is to be deleted. */
const busyMs = { ended: 200, debris: 10_000 };
/** Retry delay for a mark that Incus refused: a device is being added, or the source of a mount is missing. */
const markAgainMs = 5_000;
const retryMs = 2000; // after a failure

export class Actions {
  readonly #parts: ActionsParts;
  /** Mounts ids of containers that are being deleted. */
  readonly #finishing = new Set<string>();
  /** Errors of the last restore, by mounts id. */
  readonly #restoreErrors = new Map<string, string>();

  constructor(parts: ActionsParts) {
    this.#parts = parts;
  }

  /** Drops the errors of deleted containers. */
  forget(instances: readonly Instance[]): void {
    dropDeleted(this.#restoreErrors, instances);
  }

  /** Executes any action but `finish`. Throws errors of Incus. */
  async execute(action: Exclude<Action, FinishAction>): Promise<void> {
    const { incus, trees, roots, leases, workspaceGuards, log, signal } = this.#parts;
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
          this.#parts.reconcileWithin(markAgainMs);
        });
      }
      case 'drop-lease':
        leases.remove(action.id);
        return;
      case 'expire-lease':
      case 'remove-mounts': {
        const { kind, id } = action;
        if (kind === 'expire-lease' && (await extendWhileCreating(this.#parts, id))) {
          this.#parts.reconcileWithin(extensionMs);
          return;
        }
        roots.updatePaths(id);
        trees.remove(id);
        workspaceGuards.drop(id);
        log('info', kind === 'expire-lease' ? 'lease-expired' : 'mounts-removed', { id });
        if (kind === 'remove-mounts') return;
        leases.remove(id);
        this.#parts.reconcileWithin(0); // cleans up leftovers that the reservation protected until now
        return;
      }
      default:
        action satisfies never;
    }
  }

  /** A missing source is logged once, not in every pass. */
  #restore(name: string, session: SessionRecord): void {
    const { remounts, log } = this.#parts;
    const missing = remounts.restore(session).errors.map(String).join('; ');
    if (missing !== '' && this.#restoreErrors.get(session.mounts.id) === missing) return;
    this.#restoreErrors.set(session.mounts.id, missing);
    if (missing === '') log('info', 'mounts-restored', { name });
    else log('warning', 'mounts-missing', { name, missing });
  }

  /** Deletes an ended container. Never throws. */
  async finish(action: FinishAction): Promise<void> {
    const { incus, log, signal } = this.#parts;
    const { name, id, reason } = action;
    if (this.#finishing.has(id)) return;
    this.#finishing.add(id);
    let againMs = 0;
    try {
      const finished = await deleteEnded(incus, action, signal);
      if (finished === 'gone') log('info', 'finished', { name, id, reason });
      if (finished === 'busy') againMs = busyMs[reason];
    } catch (error) {
      if (!signal.aborted) log('warning', 'finish-failed', { name, error });
      againMs = retryMs;
    } finally {
      this.#finishing.delete(id);
      this.#parts.reconcileWithin(againMs);
    }
  }
}
