// The running session that a command means: by name, alias or slot, or the only one.
import { CoiError } from '../../errors.ts';
import { containerName } from '../../names.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { findContainer } from '../../session/record/lookup.ts';
import type { AppContext } from '../context.ts';
import type { SessionTarget } from '../requests.ts';
import { here, isIn } from '../workspace-names.ts';
import { ownContainers, reachableContainers } from './user-containers.ts';

export interface SessionMeant {
  /** Undefined where none or several could be meant. */
  readonly found: Container | undefined;
  /** Those that could be. */
  readonly live: readonly Container[];
}

/** `own` where they are known already. Throws `session-not-found` for one that was named and does not run. */
export async function sessionMeant(
  app: AppContext,
  target: SessionTarget,
  name: string | undefined,
  own?: readonly Container[],
): Promise<SessionMeant> {
  if (name !== undefined) {
    const named = findContainer(app, own ?? (await reachableContainers(app, target)), name);
    return { found: running(named, name), live: [] };
  }
  const all = own ?? (await ownContainers(app, target));
  const workspace = here(app, target);
  const isHere = isIn(workspace);
  if (target.slot !== undefined) {
    const { slot } = target;
    const wanted = workspace.hashes.map((hash) => containerName(app.prefix, hash, slot));
    // A session with a name of its own has another hash, and so has one that was begun through a link.
    const inSlot = all.filter(
      (container) =>
        wanted.some((name) => name === container.name) ||
        (isHere(container) && container.session?.slot === Number(slot)),
    );
    // Each of the two names may have had one in that slot.
    const live = inSlot.find(({ status }) => status === 'Running');
    return { found: running(live ?? inSlot[0], wanted[0] ?? ''), live: [] };
  }
  const live = all.filter(({ status }) => status === 'Running');
  const mine = live.filter(isHere);
  // The only one of this workspace, or else the only one at all.
  const [only] = mine.length === 1 ? mine : live;
  return { found: mine.length === 1 || live.length === 1 ? only : undefined, live };
}

function running(container: Container | undefined, name: string): Container {
  if (container?.status === 'Running') return container;
  const frozen = container?.status === 'Frozen';
  throw new CoiError('session-not-found', `container ${name} not found or not running`, {
    hint: frozen
      ? `It is paused; \`coi unfreeze ${container.name}\` lets it go on.`
      : 'Run `coi list` to see your sessions.',
  });
}
