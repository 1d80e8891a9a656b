// THE table of configuration keys: type, default, how layers merge, whom coi trusts with it, what it is for.
// `coi config show`, `coi config schema`, the reader, the merger and the trust gate all read this table.
import { guardKeys } from './guard.ts';
import type { Key } from './key.ts';
import { reachKeys } from './reach.ts';
import { sessionKeys } from './session.ts';

export const keys = {
  ...sessionKeys,
  ...reachKeys,
  ...guardKeys,
} as const satisfies Record<string, Key<never> | Key<unknown>>;

export type KeyName = keyof typeof keys;

/** What is in force: one value for each key. */
export type Settings = {
  readonly [K in KeyName]: (typeof keys)[K] extends Key<infer T> ? T : never;
};

/** What one layer says. */
export type PartialSettings = { readonly [K in KeyName]?: Settings[K] };

export const keyNames = Object.keys(keys) as readonly KeyName[];

/** The table as its users see it when they go through all keys. */
export function keyOf(name: KeyName): Key<unknown> {
  return keys[name] as Key<unknown>;
}
