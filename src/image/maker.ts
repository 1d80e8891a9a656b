// For whom an image was built: another project must not replace it under its name. Pure.
import { CoiError } from '../errors.ts';
import type { Image } from '../incus/shapes.ts';
import { imageKeys } from '../instance-keys.ts';
import { quoted } from '../names.ts';
import { defaultImage, versionsOf } from './versions.ts';

export interface MakerFacts {
  readonly home: string;
  /** A path without links; undefined if there is nothing any more. */
  readonly realPath: (path: string) => string | undefined;
}

/**
 * The directory that a recipe is of, by the files that its parts stand in (undefined for flags and defaults). One of a
 * project makes it the project's: only what the user's own files say as a whole is the user's.
 */
export function makerOf(
  sources: readonly (string | undefined)[],
  { home, realPath }: MakerFacts,
): string {
  const real = (path: string) => realPath(path) ?? path;
  const others = sources
    .filter((path) => path?.startsWith('/'))
    .map((path) => real(directoryOf(path ?? '')));
  return others.find((directory) => directory !== real(home)) ?? real(home);
}

/** `/w` of `/w/.coi/config.toml` and of `/w/.coi/profiles/web/config.toml`. */
function directoryOf(path: string): string {
  const profiles = /^(.*)\/profiles\/[^/]+\/config\.toml$/.exec(path)?.[1];
  const beside = profiles ?? path.slice(0, path.lastIndexOf('/'));
  return beside.replace(/\/\.coi$/, '') || '/';
}

/** Throws `config-invalid` where an image of that name was built for another directory that is still there. */
export function refuseReplacement(
  alias: string,
  image: Pick<Image, 'properties'> | undefined,
  maker: string,
  { home, realPath }: MakerFacts,
): void {
  const before = image?.properties[imageKeys.maker];
  if (!before?.startsWith('/')) return;
  // A project that was moved goes on under its new name.
  const there = realPath(before);
  if (there === undefined || there === maker) return;
  const whose =
    there === (realPath(home) ?? home)
      ? 'for your own configuration, or by `coi build custom`'
      : `for ${quoted(before)}`;
  throw new CoiError('config-invalid', `the image '${alias}' was built ${whose}`, {
    hint: `Give the image of this project another name ([container] image), or delete that one first: \`coi image delete ${alias}\`.`,
  });
}

/** Whether a name is the default image's or that of one of its versions, which is everybody's. */
export function isDefaultImage(alias: string): boolean {
  return alias === defaultImage || versionsOf(defaultImage, [alias]).length > 0;
}
