// The container that a low-level command names: any of the server, whoever made it, unless it is another user's session.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { incusFailure } from '../session/failure.ts';
import { findContainer } from '../session/lookup.ts';
import { type Container, sessionRecord } from '../session/record.ts';
import type { OwnerOptions } from './containers.ts';
import { ownContainers } from './containers.ts';

/** By name or alias; undefined if there is none. Throws what a failed call means. */
export async function anyContainer(
  app: App,
  options: OwnerOptions,
  word: string,
): Promise<Container | undefined> {
  const named = /^[A-Za-z][A-Za-z0-9-]{0,62}$/.test(word)
    ? await byName(app, options, word)
    : undefined;
  if (named || word.startsWith(app.prefix)) return named;
  return findContainer(app, await ownContainers(app, options), word);
}

/** The same, or `session-not-found`. */
export async function existingContainer(
  app: App,
  options: OwnerOptions,
  word: string,
): Promise<Container> {
  const found = await anyContainer(app, options, word);
  if (found) return found;
  throw new CoiError('session-not-found', `container ${quoted(word)} not found`, {
    hint: 'See `coi container list`.',
  });
}

/** The same, and it runs. */
export async function runningContainer(
  app: App,
  options: OwnerOptions,
  word: string,
): Promise<Container> {
  const found = await existingContainer(app, options, word);
  if (found.status === 'Running') return found;
  throw new CoiError('session-not-found', `container ${found.name} is not running`, {
    hint:
      found.status === 'Frozen'
        ? `It is paused; \`coi unfreeze ${found.name}\` lets it go on.`
        : `It is ${found.status}; \`coi container start ${found.name}\` starts it.`,
  });
}

/** Whether the caller may see that container: another user's session shows to root's --all-users only. */
export function isVisible(
  app: App,
  { allUsers }: OwnerOptions,
  owner: number | undefined,
): boolean {
  return owner === undefined || owner === app.user.uid || (allUsers === true && app.user.uid === 0);
}

async function byName(
  app: App,
  options: OwnerOptions,
  name: string,
): Promise<Container | undefined> {
  try {
    const found = await (await app.incus()).instance(name, { signal: app.signal });
    if (!found) return undefined;
    const { instance } = found;
    const session = sessionRecord(instance.config);
    if (!isVisible(app, options, session?.owner)) return undefined;
    return { name, status: instance.status, session, instance };
  } catch (error) {
    throw incusFailure(error, `looking for ${name} failed`);
  }
}
