// Selects one container: by name, by $COI_CONTAINER, or the workspace's only one.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { findContainer } from '../../session/record/find-container.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { SessionTarget } from '../requests.ts';
import { identifyWorkspace, isContainerOf } from '../workspace-names.ts';
import { ownContainers, reachableContainers } from './user-containers.ts';

/** Throws `session-not-found`, also if several match. */
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
  const workspace = identifyWorkspace(app, target);
  const isHere = isContainerOf(workspace);
  const all = (await ownContainers(app, target)).filter(
    (container) =>
      isHere(container) ||
      workspace.hashes.some((hash) => container.name.startsWith(`${app.prefix}${hash}-`)),
  );
  const candidates = preferLasting(all);
  const [only] = candidates;
  if (only && candidates.length === 1) return only;
  const several = candidates.map(({ name }) => name).join(', ');
  throw new CoiError(
    'session-not-found',
    only ? `this workspace has ${candidates.length} containers` : 'this workspace has no container',
    { hint: only ? `Name one: ${several}.` : 'Name one; see `coi list`.' },
  );
}

/** Ignores containers that `coi run` or a kill leaves for a moment, if there are others. */
export function preferLasting(containers: readonly Container[]): readonly Container[] {
  const stay = containers.filter(({ instance }) => !instance.ephemeral);
  return stay.length > 0 ? stay : containers;
}
