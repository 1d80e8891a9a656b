// The list of images, and which of their versions are obsolete. Pure.
import type { Image } from '../incus/shapes.ts';

export interface ListedImage {
  readonly fingerprint: string;
  readonly aliases: readonly string[];
  readonly sizeBytes: number;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly uploadedAt: string;
  readonly description: string;
}

/** Images that have an alias with the prefix, newest first. */
export function listImages(images: readonly Image[], prefix: string): ListedImage[] {
  return images
    .map((image) => ({
      fingerprint: image.fingerprint,
      aliases: image.aliases.map(({ name }) => name).sort(),
      sizeBytes: image.size,
      createdAt: image.created_at,
      uploadedAt: image.uploaded_at,
      description: image.properties['description'] ?? '',
    }))
    .filter(({ aliases }) => prefix === '' || aliases.some((alias) => alias.startsWith(prefix)))
    .sort((a, b) => (a.uploadedAt < b.uploadedAt ? 1 : -1));
}

export interface VersionSplit {
  readonly kept: readonly string[];
  /** Version aliases, oldest first. */
  readonly obsolete: readonly { readonly alias: string; readonly fingerprint: string }[];
}

/** The newest `keep` versions (`…-YYYYMMDD-HHMMSS`) of a prefix stay, and so does every image with another alias. */
export function splitVersions(
  images: readonly ListedImage[],
  prefix: string,
  keep: number,
): VersionSplit {
  const stamp = (alias: string) => /-(\d{8}-\d{6})$/.exec(alias)?.[1];
  const versions = images
    .flatMap(({ fingerprint, aliases }) =>
      aliases.flatMap((alias) => {
        const time = alias.startsWith(prefix) ? stamp(alias) : undefined;
        const named = aliases.some((other) => stamp(other) === undefined);
        return time === undefined ? [] : [{ alias, fingerprint, time, named }];
      }),
    )
    .sort((a, b) => (a.time < b.time ? 1 : -1));
  const stays = versions.map(({ named }, index) => index < keep || named);
  return {
    kept: versions.filter((_, index) => stays[index]).map(({ alias }) => alias),
    obsolete: versions.filter((_, index) => !stays[index]).toReversed(),
  };
}
