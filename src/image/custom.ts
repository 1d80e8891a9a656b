// Images built on another image: their script, and whether they are up to date. Pure.
import { createHash } from 'node:crypto';
import { CoiError } from '../errors.ts';
import type { Image } from '../incus/shapes.ts';
import { imageKeys } from '../instance-keys.ts';
import { type ImageAlias, parseImageAlias, quoted } from '../names.ts';

export interface CustomImageSpec {
  readonly alias: string;
  /** The base image: an alias, a fingerprint, or an image on a remote. */
  readonly base: ImageAlias;
  /** Runs as root, with the interpreter in its first line or with sh. */
  readonly script: string;
  readonly compression: string | undefined;
  /** The directory whose configuration requests it (maker.ts). */
  readonly maker: string;
  /** The user named the image for this build: it may replace any project's image. */
  readonly replaces: boolean;
}

/**
 * Checks the alias of an image that a project builds. Images of a remote, and images named by fingerprint, are stored
 * and looked up by that name too, so another project would get this image instead. Throws `config-invalid`.
 */
export function parseBuildAlias(text: string): ImageAlias {
  const alias = parseImageAlias(text);
  const like = alias.includes(':')
    ? 'names an image of a remote'
    : /^[0-9a-f]{12,64}$/i.test(alias)
      ? 'looks like the fingerprint of an image'
      : undefined;
  if (like === undefined) return alias;
  throw new CoiError('config-invalid', `${quoted(alias)} ${like}, so no build can have that name`, {
    hint: 'Choose another name for the image: [container] image.',
  });
}

/** The script of `[container.build]`: the text of its file, or its commands, stopping at the first failure. */
export function buildScript(script: string | undefined, commands: readonly string[]): string {
  const text = script ?? (commands.length > 0 ? ['set -e', ...commands, ''].join('\n') : undefined);
  if (text === undefined)
    throw new CoiError('config-invalid', 'there is neither a script nor commands to build with', {
      hint: 'Set script or commands under [container.build], or use --script.',
    });
  return text.startsWith('#!') ? text : `#!/bin/sh\n${text}`;
}

/** Changes with the base or the script. */
export function customHash({ script }: Pick<CustomImageSpec, 'script'>, base: string): string {
  return createHash('sha256').update(`${base}\0${script}`).digest('hex').slice(0, 16);
}

/**
 * Describes why an image is stale (its base image was replaced); undefined if it is not. `target` returns what an alias
 * points to now.
 */
export function describeStaleBase(
  image: Pick<Image, 'properties'>,
  target: (alias: string) => string | undefined,
): string | undefined {
  const { [imageKeys.base]: base, [imageKeys.baseName]: name } = image.properties;
  if (base === undefined || name === undefined) return undefined;
  const now = target(name);
  return now === undefined || now === base ? undefined : `it was built on an older '${name}'`;
}
