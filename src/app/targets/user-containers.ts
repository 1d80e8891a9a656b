// The containers that a command means: the caller's own, all of them or those that were named.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { type Container, isNobodys } from '../../session/record/instance-record.ts';
import { findContainer } from '../../session/record/lookup.ts';
import type { AppContext } from '../context.ts';
import { coiContainersBeside } from '../other-containers.ts';
import type { OwnerScope } from '../requests.ts';

/** One cheap call. Throws `needs-root` for --all-users of another than root, and what a failed call means. */
export async function ownContainers(app: AppContext, scope: OwnerScope): Promise<Container[]> {
  const all = await reachableContainers(app, scope);
  return all.filter((container) => app.user.uid === 0 || !isNobodys(container, app.user.uid));
}

/** The same, and those of nobody, which a user may name. */
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
    return await coiContainersBeside(app, instances, allUsers ? undefined : user.uid);
  } catch (error) {
    throw incusFailure(error, 'listing the containers failed');
  }
}

/** Those that the words mean, each once; what does not exist is warned about. */
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
