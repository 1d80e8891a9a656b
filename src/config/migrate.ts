// Old file locations and keys, and their replacements, so that an old file is never silently misread. Pure.
import { isTable } from './keys/values.ts';

export interface MovedKey {
  /** Path of the old key in the file. */
  readonly key: string;
  /** Path of the new key. */
  readonly to: readonly string[];
  readonly text: string;
}

interface NewLocation {
  readonly to: readonly string[];
  readonly shown: string;
}

const image: NewLocation = { to: ['container', 'image'], shown: '[container] image' };
const persistent: NewLocation = {
  to: ['container', 'persistent'],
  shown: '[container] persistent',
};
const build: NewLocation = { to: ['container', 'build'], shown: '[container.build]' };

const configKeys: Readonly<Record<string, NewLocation>> = {
  'defaults.image': image,
  'defaults.persistent': persistent,
  build,
};
const profileKeys: Readonly<Record<string, NewLocation>> = { image, persistent, build };

/** The old keys in a file. */
export function movedKeys(
  table: Readonly<Record<string, unknown>>,
  kind: 'config' | 'profile',
): MovedKey[] {
  return Object.entries(kind === 'config' ? configKeys : profileKeys)
    .filter(([key]) => has(table, key.split('.')))
    .map(([key, { to, shown }]) => ({ key, to, text: `has moved to ${shown}` }));
}

/** Configuration files of versions before 0.8 and their new locations. */
export function oldConfigFiles(
  home: string,
  workspace: string,
): { readonly path: string; readonly now: string; readonly refused: boolean }[] {
  return [
    { path: `${workspace}/.coi.toml`, now: `${workspace}/.coi/config.toml`, refused: true },
    { path: `${home}/.config/coi/config.toml`, now: `${home}/.coi/config.toml`, refused: false },
    { path: '/etc/coi/config.toml', now: `${home}/.coi/config.toml`, refused: false },
  ];
}

function has(
  table: Readonly<Record<string, unknown>>,
  [name, ...rest]: readonly string[],
): boolean {
  if (name === undefined) return true;
  const inner = table[name];
  return inner !== undefined && (rest.length === 0 || (isTable(inner) && has(inner, rest)));
}
