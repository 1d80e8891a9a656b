// What is said about one key of the configuration.
import type { ValueType } from './values.ts';

/**
 * How a layer's value joins that of the layers below it.
 * `replace`: any given value wins. `nonzero`: empty strings and 0 mean "not set". `on`: only true counts.
 * `append`, `union` (without duplicates), `keywise`, `by-name`: lists and tables grow.
 */
export type Merge = 'replace' | 'nonzero' | 'on' | 'append' | 'union' | 'keywise' | 'by-name';

/**
 * Who may set it. `user`: only the user's own files. `approve`: anybody, but what a project says waits for `coi trust`.
 * `harmless`: anybody; whoever writes that says that nothing a project could put there gives it more than it has, and
 * the list in harmless.test.ts shows it to a reviewer. The others are approved where they loosen nothing: `only-true`
 * and `only-false` with that value, `lower` up to the user's value, and those that trust.ts judges by their meaning.
 */
export type Trust =
  | 'harmless'
  | 'user'
  | 'approve'
  | 'only-true'
  | 'only-false'
  | 'lower'
  | 'domains'
  | 'mounts'
  | 'inside'
  | 'here'
  | 'environment'
  | AtLeastAsStrict
  | Limit;

/** The choices in this order: a project may go to the right of what the user has. */
export interface AtLeastAsStrict {
  readonly loosestFirst: readonly string[];
}

/** A limit: a project may lower it (limit.ts). */
export interface Limit {
  readonly limit: 'cpus' | 'cpu-time' | 'size' | 'swap' | 'rate' | 'number';
  /** What Incus takes where nobody says anything; otherwise that is no limit. */
  readonly unset?: number;
  /** Keys whose limits this one would replace. */
  readonly also?: readonly string[];
}

export interface Key<T> {
  readonly type: ValueType<Exclude<T, undefined>>;
  readonly fallback: T;
  readonly merge: Merge;
  readonly trust: Trust;
  readonly doc: string;
  /** `none`: it is read since configurations of the predecessor have it, and changes nothing. */
  readonly effect?: 'none';
}

/** Everybody who adds a key has to say whom coi trusts with it. */
interface More {
  readonly trust: Trust;
  readonly merge?: Merge;
  readonly effect?: 'none';
}

/** A key that has a default. */
export function key<T>(type: ValueType<T>, fallback: T, doc: string, more: More): Key<T> {
  const merge =
    more.merge ??
    (typeof fallback === 'string' || typeof fallback === 'number' ? 'nonzero' : 'replace');
  return { type, fallback, ...more, merge, doc } as Key<T>;
}

/** A key that may stay unset. */
export function unset<T>(type: ValueType<T>, doc: string, more: More): Key<T | undefined> {
  return { type, fallback: undefined, merge: 'nonzero', ...more, doc } as Key<T | undefined>;
}

/** The class of trust in one word or two, for the reference. */
export function trustText(trust: Trust): string {
  if (typeof trust === 'string') return trust;
  return 'limit' in trust ? 'limit' : `in this order: ${trust.loosestFirst.join(', ')}`;
}
