// The table of configuration keys: type, default, merge rule, trust class and description.
// `coi config show`, `coi config schema`, the reader, the merger and the trust gate all use it.

import { accessKeys } from './access.ts';
import { guardKeys } from './guard.ts';
import type { Key } from './key.ts';
import { notifyKeys } from './notify.ts';
import { sessionKeys } from './session.ts';

export const keys = {
  ...sessionKeys,
  ...notifyKeys,
  ...accessKeys,
  ...guardKeys,
} as const satisfies Record<string, Key<never> | Key<unknown>>;

export type KeyName = keyof typeof keys;

/** The effective configuration: one value for each key. */
export type Settings = {
  readonly [K in KeyName]: (typeof keys)[K] extends Key<infer T> ? T : never;
};

/** The values of one layer. */
export type PartialSettings = { readonly [K in KeyName]?: Settings[K] };

export const keyNames = Object.keys(keys) as readonly KeyName[];

/** An entry without its specific type, for loops over all keys. */
export function keyOf(name: KeyName): Key<unknown> {
  return keys[name] as Key<unknown>;
}
