// Finds the container that a low-level command names: any of the server, except other users' sessions.
import { CoiError } from '../../errors.ts';
import type { Instance } from '../../incus/shapes.ts';
import { quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { recordedOwner, workspaceSource } from '../../session/record/adopted-container.ts';
import { findContainer } from '../../session/record/find-container.ts';
import {
  type Container,
  containerOf,
  sessionRecord,
} from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { loadAdoptionSources, workspaceOwner } from '../other-containers.ts';
import type { OwnerScope } from '../requests.ts';
import { ownContainers } from './user-containers.ts';

/** By name or alias; undefined if there is none. Throws if a call fails. */
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

/** By name or alias. Throws `session-not-found`. */
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

/** By name or alias. Throws `session-not-found`, also if it is not running. */
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
        ? `It is paused; run \`coi unfreeze ${found.name}\` to resume it.`
        : `It is ${found.status}; run \`coi container start ${found.name}\` to start it.`,
  });
}

/** Whether the caller may see that container: only root with --all-users sees those of other users. */
export function isVisible(
  { user, prefix }: AppContext,
  { allUsers }: OwnerScope,
  instance: Pick<Instance, 'name' | 'config' | 'devices'>,
): boolean {
  const { name, config, devices } = instance;
  const workspace = name.startsWith(prefix) ? workspaceSource(devices) : undefined;
  const owner =
    sessionRecord(config)?.owner ??
    recordedOwner(config) ??
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
    return containerOf(instance, isSession ? undefined : await loadAdoptionSources(app));
  } catch (error) {
    throw incusFailure(error, `looking for ${name} failed`);
  }
}
