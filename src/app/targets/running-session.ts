// Selects a running session by name, alias or slot, or the only one.
import { CoiError } from '../../errors.ts';
import { containerName } from '../../names.ts';
import { findContainer } from '../../session/record/find-container.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { SessionTarget } from '../requests.ts';
import { identifyWorkspace, isContainerOf } from '../workspace-names.ts';
import { ownContainers, reachableContainers } from './user-containers.ts';

export interface RunningSelection {
  /** Undefined if none or several match. */
  readonly found: Container | undefined;
  /** The candidates. */
  readonly live: readonly Container[];
}

/** `own`: the caller's containers, if already known. Throws `session-not-found` for a named session that is not running. */
export async function selectRunning(
  app: AppContext,
  target: SessionTarget,
  name: string | undefined,
  own?: readonly Container[],
): Promise<RunningSelection> {
  if (name !== undefined) {
    const named = findContainer(app, own ?? (await reachableContainers(app, target)), name);
    return { found: requireRunning(named, name), live: [] };
  }
  const all = own ?? (await ownContainers(app, target));
  const workspace = identifyWorkspace(app, target);
  const isHere = isContainerOf(workspace);
  if (target.slot !== undefined) {
    const { slot } = target;
    const wanted = workspace.hashes.map((hash) => containerName(app.prefix, hash, slot));
    // A session with a session_name has another hash, and so has one that was started through a link.
    const inSlot = all.filter(
      (container) =>
        wanted.some((name) => name === container.name) ||
        (isHere(container) && container.session?.slot === Number(slot)),
    );
    // Both paths of the workspace may have a session in that slot.
    const live = inSlot.find(({ status }) => status === 'Running');
    return { found: requireRunning(live ?? inSlot[0], wanted[0] ?? ''), live: [] };
  }
  const live = all.filter(({ status }) => status === 'Running');
  const mine = live.filter(isHere);
  // The only one of this workspace, else the only one of the user.
  const [only] = mine.length === 1 ? mine : live;
  return { found: mine.length === 1 || live.length === 1 ? only : undefined, live };
}

function requireRunning(container: Container | undefined, name: string): Container {
  if (container?.status === 'Running') return container;
  const frozen = container?.status === 'Frozen';
  throw new CoiError('session-not-found', `container ${name} not found or not running`, {
    hint: frozen
      ? `It is paused; run \`coi unfreeze ${container.name}\` to resume it.`
      : 'Run `coi list` to see your sessions.',
  });
}
