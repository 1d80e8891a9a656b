// Images of a build in Incus: imports the base image and publishes the result.
import { CoiError } from '../errors.ts';
import type { Incus } from '../incus/client.ts';
import { imageKeys, keys } from '../instance-keys.ts';
import type { BaseFiles } from './base.ts';
import { bareInstance, waitForOperation } from './container.ts';
import { imageRelease } from './sources.ts';

const publishLimitMs = 10 * 60_000;

interface PublishDependencies {
  readonly incus: Incus;
  readonly pid: number;
  readonly now: () => Date;
}

interface PublishRequest {
  readonly alias: string;
  readonly recipe: { readonly variant: string };
  readonly hash: string;
  readonly compression: string;
}

/** Imports the base image; returns its fingerprint. */
export async function importBase(incus: Incus, files: BaseFiles, pid: number): Promise<string> {
  const properties = { [keys.build]: String(pid) };
  return fingerprintOf(await waitForOperation(incus.importImage({ ...files, properties })));
}

/** Publishes a stopped container; returns the fingerprint. */
export async function publish(
  { incus, pid, now }: PublishDependencies,
  { alias, recipe, hash, compression }: PublishRequest,
  instance: string,
): Promise<string> {
  const properties = {
    os: 'debian',
    release: imageRelease,
    description: `${alias}, built by coi`,
    [imageKeys.recipe]: hash,
    [imageKeys.variant]: recipe.variant,
    [imageKeys.built]: now().toISOString(),
    [keys.build]: String(pid),
  };
  const started = incus.publishImage({ instance, properties, compression });
  return fingerprintOf(await waitForOperation(started, publishLimitMs));
}

/** Unpacks the image into the storage pool now, so that the first session does not wait for it. */
export async function unpackIntoPool(
  { incus, pid }: PublishDependencies,
  fingerprint: string,
  name: string,
): Promise<void> {
  const trial = trialName(name);
  const config = { [keys.build]: String(pid) };
  const request = { ...(await bareInstance(incus, trial, fingerprint)), config };
  await waitForOperation(incus.createInstance(request));
  await waitForOperation(incus.deleteInstance(trial));
}

export function trialName(name: string): string {
  return `${name}-trial`;
}

function fingerprintOf(metadata: Record<string, unknown> | null): string {
  const fingerprint = metadata?.['fingerprint'];
  if (typeof fingerprint !== 'string')
    throw new CoiError('image-build-failed', 'Incus returned no fingerprint');
  return fingerprint;
}
