// What is said about one key of the configuration.
import type { ValueType } from './values.ts';

/**
 * How a layer's value joins that of the layers below it.
 * `replace`: any given value wins. `nonzero`: empty strings and 0 mean "not set". `on`: only true counts.
 * `append`, `union` (without duplicates), `keywise`, `by-name`: lists and tables grow.
 */
export type Merge = 'replace' | 'nonzero' | 'on' | 'append' | 'union' | 'keywise' | 'by-name';

/**
 * Who may set it. `any`: harmless, also in a project's file. `user`: only the user's own files. The others loosen
 * something when a project sets them, and then wait for `coi trust`: `approve` always, `only-true` and `only-false`
 * unless that value, `lower` above the user's value, and those that trust.ts judges by their meaning.
 */
export type Trust =
  | 'any'
  | 'user'
  | 'approve'
  | 'only-true'
  | 'only-false'
  | 'lower'
  | 'network-mode'
  | 'domains'
  | 'permission'
  | 'mounts'
  | 'inside'
  | 'environment'
  | 'protection';

export interface Key<T> {
  readonly type: ValueType<Exclude<T, undefined>>;
  readonly fallback: T;
  readonly merge: Merge;
  readonly trust: Trust;
  readonly doc: string;
}

type More = { trust?: Trust; merge?: Merge };

/** A key that has a default. */
export function key<T>(type: ValueType<T>, fallback: T, doc: string, more: More = {}): Key<T> {
  const merge =
    more.merge ??
    (typeof fallback === 'string' || typeof fallback === 'number' ? 'nonzero' : 'replace');
  return { type, fallback, merge, trust: more.trust ?? 'any', doc } as Key<T>;
}

/** A key that may stay unset. */
export function unset<T>(type: ValueType<T>, doc: string, more: More = {}): Key<T | undefined> {
  return {
    type,
    fallback: undefined,
    merge: more.merge ?? 'nonzero',
    trust: more.trust ?? 'any',
    doc,
  } as Key<T | undefined>;
}
