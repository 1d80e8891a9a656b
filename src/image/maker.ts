// The maker of an image (the project or user it was built for): another project must not replace it. Pure.
import { CoiError } from '../errors.ts';
import type { Image } from '../incus/shapes.ts';
import { imageKeys } from '../instance-keys.ts';
import { quoted } from '../names.ts';
import { defaultImage, versionsOf } from './versions.ts';

export interface MakerFacts {
  readonly home: string;
  /** Resolves symbolic links; undefined if the path no longer exists. */
  readonly realPath: (path: string) => string | undefined;
}

/**
 * The directory that a recipe belongs to, derived from the files that define its parts (undefined for flags and
 * defaults). One part from a project makes it the project's; it is the user's only if all are in the user's files.
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
  const directory = profiles ?? path.slice(0, path.lastIndexOf('/'));
  return directory.replace(/\/\.coi$/, '') || '/';
}

/** Throws `config-invalid` if an image of that name was built for another directory that still exists. */
export function refuseReplacement(
  alias: string,
  image: Pick<Image, 'properties'> | undefined,
  maker: string,
  { home, realPath }: MakerFacts,
): void {
  const before = image?.properties[imageKeys.maker];
  if (!before?.startsWith('/')) return;
  // A project that was moved may replace its image.
  const there = realPath(before);
  if (there === undefined || there === maker) return;
  const whose =
    there === (realPath(home) ?? home)
      ? 'for your own configuration, or by `coi build custom`'
      : `for ${quoted(before)}`;
  throw new CoiError('config-invalid', `the image '${alias}' was built ${whose}`, {
    hint: `Choose another name for this project's image ([container] image), or delete the existing one first: \`coi image delete ${alias}\`.`,
  });
}

/** Whether an alias is the default image or one of its versions, which all projects share. */
export function isDefaultImage(alias: string): boolean {
  return alias === defaultImage || versionsOf(defaultImage, [alias]).length > 0;
}
