// Places and keys of older versions: what became of them, so that an old file is not misread in silence. Pure.
import { isTable } from './keys/values.ts';

export interface Moved {
  /** Path of the old key in the file. */
  readonly key: string;
  /** Path of its place now. */
  readonly to: readonly string[];
  readonly text: string;
}

interface Place {
  readonly to: readonly string[];
  readonly shown: string;
}

const image: Place = { to: ['container', 'image'], shown: '[container] image' };
const persistent: Place = { to: ['container', 'persistent'], shown: '[container] persistent' };
const build: Place = { to: ['container', 'build'], shown: '[container.build]' };

const configKeys: Readonly<Record<string, Place>> = {
  'defaults.image': image,
  'defaults.persistent': persistent,
  build,
};
const profileKeys: Readonly<Record<string, Place>> = { image, persistent, build };

/** The old keys of a file that has some. */
export function movedKeys(
  table: Readonly<Record<string, unknown>>,
  kind: 'config' | 'profile',
): Moved[] {
  return Object.entries(kind === 'config' ? configKeys : profileKeys)
    .filter(([key]) => has(table, key.split('.')))
    .map(([key, { to, shown }]) => ({ key, to, text: `has moved to ${shown}` }));
}

/** Files of versions before 0.8, and where their content belongs. */
export function oldPlaces(
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
