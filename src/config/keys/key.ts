// The definition of one configuration key.
import type { ValueType } from './values.ts';

/**
 * How a layer's value merges with the layers below it.
 * `replace`: any given value wins. `nonzero`: empty strings and 0 mean "not set". `on`: only true counts.
 * `append`, `union` (without duplicates), `keywise`, `by-name`: lists and tables grow.
 */
export type Merge = 'replace' | 'nonzero' | 'on' | 'append' | 'union' | 'keywise' | 'by-name';

/**
 * Who may set a key. `user`: only the user's own files. `approve`: anybody, but a project's value needs `coi trust`.
 * `harmless`: anybody, because no value gives a project more than it already has; the list in harmless.test.ts makes
 * each such key visible in review. The other classes need approval only if the value loosens something: `only-true` and
 * `only-false` accept that value, `lower` accepts values up to the user's, and trust.ts evaluates the rest.
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
  | StrictnessOrder
  | Limit;

/** The choices in this order: a project may move to the right of the user's choice. */
export interface StrictnessOrder {
  readonly loosestFirst: readonly string[];
}

/** A limit: a project may lower it (limit.ts). */
export interface Limit {
  readonly limit: 'cpus' | 'cpu-time' | 'size' | 'swap' | 'rate' | 'number';
  /** The default of Incus for an unset limit; if absent, unset means unlimited. */
  readonly unset?: number;
  /** Keys whose limits this one overrides. */
  readonly also?: readonly string[];
}

export interface Key<T> {
  readonly type: ValueType<Exclude<T, undefined>>;
  readonly fallback: T;
  readonly merge: Merge;
  readonly trust: Trust;
  readonly doc: string;
  /** `none`: accepted because old configurations contain it, but without effect. */
  readonly effect?: 'none';
}

/** `trust` is required: every new key needs a decision on who may set it. */
interface KeyOptions {
  readonly trust: Trust;
  readonly merge?: Merge;
  readonly effect?: 'none';
}

/** A key that has a default. */
export function key<T>(type: ValueType<T>, fallback: T, doc: string, more: KeyOptions): Key<T> {
  const merge =
    more.merge ??
    (typeof fallback === 'string' || typeof fallback === 'number' ? 'nonzero' : 'replace');
  return { type, fallback, ...more, merge, doc } as Key<T>;
}

/** A key without a default. */
export function optionalKey<T>(
  type: ValueType<T>,
  doc: string,
  more: KeyOptions,
): Key<T | undefined> {
  return { type, fallback: undefined, merge: 'nonzero', ...more, doc } as Key<T | undefined>;
}

/** The trust class, for the reference. */
export function trustText(trust: Trust): string {
  if (typeof trust === 'string') return trust;
  return 'limit' in trust ? 'limit' : `in this order: ${trust.loosestFirst.join(', ')}`;
}
