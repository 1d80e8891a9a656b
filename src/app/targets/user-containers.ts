// Selects the caller's containers: all of them or those that are named.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { findContainer } from '../../session/record/find-container.ts';
import { type Container, isUnowned } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { listCoiContainers } from '../other-containers.ts';
import type { OwnerScope } from '../requests.ts';

/** One cheap call. Throws `needs-root` for --all-users without root, and if the call fails. */
export async function ownContainers(app: AppContext, scope: OwnerScope): Promise<Container[]> {
  const all = await reachableContainers(app, scope);
  return all.filter((container) => app.user.uid === 0 || !isUnowned(container, app.user.uid));
}

/** The caller's containers and those without an owner, which a user may name. */
export async function reachableContainers(
  app: AppContext,
  { allUsers }: OwnerScope,
): Promise<Container[]> {
  const { user } = app;
  if (allUsers && user.uid !== 0) {
    throw new CoiError('needs-root', "only root may see every user's sessions", {
      hint: 'Leave --all-users out, or use sudo.',
    });
  }
  try {
    const instances = await (await app.incus()).instances({ signal: app.signal });
    return await listCoiContainers(app, instances, allUsers ? undefined : user.uid);
  } catch (error) {
    throw incusFailure(error, 'listing the containers failed');
  }
}

/** The named containers, each once; warns about names that do not exist. */
export function namedContainers(
  app: AppContext,
  own: readonly Container[],
  words: readonly string[],
): Container[] {
  const found = words.map((word) => {
    const container = findContainer(app, own, word);
    if (!container) app.report.warn(`container ${quoted(word)} not found`);
    return container;
  });
  return [...new Set(found.filter((container) => container !== undefined))];
}
