// The one container that a command is about: the one that was named, $COI_CONTAINER, or the workspace's only one.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { findContainer } from '../../session/record/lookup.ts';
import type { AppContext } from '../context.ts';
import type { SessionTarget } from '../requests.ts';
import { here, isIn } from '../workspace-names.ts';
import { ownContainers, reachableContainers } from './user-containers.ts';

/** Throws `session-not-found`, also when several could be meant. */
export async function oneContainer(
  app: AppContext,
  target: SessionTarget,
  word: string | undefined,
): Promise<Container> {
  const named = word ?? app.env['COI_CONTAINER'];
  if (named) {
    const found = findContainer(app, await reachableContainers(app, target), named);
    if (found) return found;
    throw new CoiError('session-not-found', `container ${quoted(named)} not found`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  }
  const workspace = here(app, target);
  const isHere = isIn(workspace);
  const all = (await ownContainers(app, target)).filter(
    (container) =>
      isHere(container) ||
      workspace.hashes.some((hash) => container.name.startsWith(`${app.prefix}${hash}-`)),
  );
  const meant = lasting(all);
  const [only] = meant;
  if (only && meant.length === 1) return only;
  const several = meant.map(({ name }) => name).join(', ');
  throw new CoiError(
    'session-not-found',
    only ? `this workspace has ${meant.length} containers` : 'this workspace has no container',
    { hint: only ? `Name one: ${several}.` : 'Name one; see `coi list`.' },
  );
}

/** What a `coi run` or a kill just left is gone in a moment, and never what is meant beside something that stays. */
export function lasting(containers: readonly Container[]): readonly Container[] {
  const stay = containers.filter(({ instance }) => !instance.ephemeral);
  return stay.length > 0 ? stay : containers;
}
