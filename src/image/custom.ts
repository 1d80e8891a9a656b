// Images on top of another image: what is run for them, and whether one is still up to date. Pure.
import { createHash } from 'node:crypto';
import { CoiError } from '../errors.ts';
import type { Image } from '../incus/shapes.ts';
import { imageKeys } from '../instance-keys.ts';
import { type ImageAlias, parseImageAlias, quoted } from '../names.ts';

export interface CustomImageSpec {
  readonly alias: string;
  /** What it starts from: an alias, a fingerprint, or an image of a remote. */
  readonly base: ImageAlias;
  /** Run as root; with its own first line, or by sh. */
  readonly script: string;
  readonly compression: string | undefined;
  /** The directory whose configuration asks for it (maker.ts). */
  readonly maker: string;
  /** The user has named the image for this one build: whose it was does not matter. */
  readonly replaces: boolean;
}

/**
 * What an image of a project's build may be called. A base that is a fingerprint, or one of a remote, is kept and asked
 * for by that name too, so another project would get this image for it. Throws `config-invalid`.
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
    hint: 'Give the image that is built another name: [container] image.',
  });
}

/** The script of `[container.build]`: its file's text, or its commands, of which the first that fails ends it. */
export function buildScript(script: string | undefined, commands: readonly string[]): string {
  const text = script ?? (commands.length > 0 ? ['set -e', ...commands, ''].join('\n') : undefined);
  if (text === undefined)
    throw new CoiError('config-invalid', 'there is neither a script nor commands to build with', {
      hint: 'Write script or commands under [container.build], or use --script.',
    });
  return text.startsWith('#!') ? text : `#!/bin/sh\n${text}`;
}

/** Changes with the base and with the script. */
export function customHash({ script }: Pick<CustomImageSpec, 'script'>, base: string): string {
  return createHash('sha256').update(`${base}\0${script}`).digest('hex').slice(0, 16);
}

/**
 * Why an image is stale, in words, or undefined if it is not: the image that it was built on has been replaced.
 * `targets` tells what an alias names now.
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
