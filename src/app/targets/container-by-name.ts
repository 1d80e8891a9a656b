// The container that a low-level command names: any of the server, whoever made it, unless it is another user's session.
import { CoiError } from '../../errors.ts';
import type { Instance } from '../../incus/shapes.ts';
import { quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { keyedOwner, workspaceSource } from '../../session/record/adopted.ts';
import {
  type Container,
  containerOf,
  sessionRecord,
} from '../../session/record/instance-record.ts';
import { findContainer } from '../../session/record/lookup.ts';
import type { AppContext } from '../context.ts';
import { besideFor, workspaceOwner } from '../other-containers.ts';
import type { OwnerScope } from '../requests.ts';
import { ownContainers } from './user-containers.ts';

/** By name or alias; undefined if there is none. Throws what a failed call means. */
export async function anyContainer(
  app: AppContext,
  options: OwnerScope,
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
  app: AppContext,
  options: OwnerScope,
  word: string,
): Promise<Container> {
  const found = await anyContainer(app, options, word);
  if (found) return found;
  throw new CoiError('session-not-found', `container ${quoted(word)} not found`, {
    hint: 'Run `coi container list` to see the containers.',
  });
}

/** The same, and it runs. */
export async function runningContainer(
  app: AppContext,
  options: OwnerScope,
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

/** Whether the caller may see that container: what is another user's shows to root's --all-users only. */
export function isVisible(
  { user, prefix }: AppContext,
  { allUsers }: OwnerScope,
  instance: Pick<Instance, 'name' | 'config' | 'devices'>,
): boolean {
  const { name, config, devices } = instance;
  const workspace = name.startsWith(prefix) ? workspaceSource(devices) : undefined;
  const owner =
    sessionRecord(config)?.owner ??
    keyedOwner(config) ??
    (workspace === undefined ? 'nobody' : workspaceOwner(workspace));
  return (
    owner === 'nobody' ||
    owner === user.uid ||
    (user.uid === 0 && allUsers === true) ||
    (user.uid === 0 && owner === 'unknown')
  );
}

async function byName(
  app: AppContext,
  options: OwnerScope,
  name: string,
): Promise<Container | undefined> {
  try {
    const found = await (await app.incus()).instance(name, { signal: app.signal });
    if (!found) return undefined;
    const { instance } = found;
    if (!isVisible(app, options, instance)) return undefined;
    const isSession = sessionRecord(instance.config) !== undefined;
    return containerOf(instance, isSession ? undefined : await besideFor(app));
  } catch (error) {
    throw incusFailure(error, `looking for ${name} failed`);
  }
}
