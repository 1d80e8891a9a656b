// What a project's own file may decide. It can have been written by anybody, the agent included: what is harmless or
// tightens counts, what loosens waits until the user has approved exactly that (`coi trust`). Pure.
import { createHash } from 'node:crypto';
import { isHarmlessVariable } from '../keys/harmless-variables.ts';
import type { Trust } from '../keys/key.ts';
import { isWithin } from '../keys/limit.ts';
import { type KeyName, keyOf, type Settings } from '../keys/table.ts';
import { isTable } from '../keys/values.ts';
import { changesNothing } from '../merge.ts';
import type { ConfigSource } from '../read.ts';
import { fileValue } from '../schema.ts';

export interface TrustFacts {
  /** What is in force without any project file: what "looser" is compared with. */
  readonly trusted: Settings;
  /** The workspace without links. */
  readonly workspace: string;
  /** A host path without links; undefined if there is no such thing. */
  readonly realPath: (path: string) => string | undefined;
  /** What percentages of memory are of. */
  readonly memoryBytes: number;
}

export type Verdict =
  | { readonly kind: 'fine' }
  /** Only the user's own files may say that. */
  | { readonly kind: 'ignored' }
  /** `kept` is the part that is harmless, if any; `held` the rest, for people (of variables only the names). */
  | { readonly kind: 'waits'; readonly kept: unknown; readonly held: unknown };

const fine: Verdict = { kind: 'fine' };

/** Judges one value of a project's file. What no class of trust lets through waits: also that of a key of tomorrow. */
export function verdict(name: KeyName, value: unknown, facts: TrustFacts): Verdict {
  const { trust, merge } = keyOf(name);
  if (trust === 'user') return { kind: 'ignored' };
  if (changesNothing(merge, facts.trusted[name], value)) return fine;
  return judged(name, trust, value, facts) ?? { kind: 'waits', kept: undefined, held: value };
}

/** Undefined for a value that has to wait as a whole. */
function judged(
  name: KeyName,
  trust: Exclude<Trust, 'user'>,
  value: unknown,
  facts: TrustFacts,
): Verdict | undefined {
  const { trusted } = facts;
  if (typeof trust === 'object') {
    const isFine =
      'limit' in trust
        ? [name, ...((trust.also ?? []) as readonly KeyName[])].every((one) =>
            isWithin(trust, value, trusted[one], facts.memoryBytes),
          )
        : isAsStrict(trust.loosestFirst, value, trusted[name]);
    return isFine ? fine : undefined;
  }
  switch (trust) {
    case 'harmless':
      return fine;
    case 'only-true':
      return value === true || trusted[name] === false ? fine : undefined;
    case 'only-false':
      return value === false || trusted[name] === true ? fine : undefined;
    case 'lower':
      return Number(value) <= Number(trusted[name]) ? fine : undefined;
    case 'domains':
      return partly(
        value as readonly string[],
        (entry) =>
          trusted['network.mode'] !== 'allowlist' ||
          trusted['network.allowed_domains'].includes(entry),
      );
    case 'mounts':
      return partly(
        value as Settings['mounts.default'],
        ({ host, container }) => isInside(host, facts) && isOwnPlace(container),
      );
    case 'inside':
      return isInside(String(value), facts) ? fine : undefined;
    case 'here':
      // An image of a remote is fetched, and what a server sends is unpacked by root.
      return String(value).includes(':') ? undefined : fine;
    case 'environment':
      return ofVariables(value as Settings['defaults.environment'], trusted);
    default:
      return undefined;
  }
}

function isAsStrict(loosestFirst: readonly string[], value: unknown, trusted: unknown): boolean {
  const [own, least] = [value, trusted].map((one) => loosestFirst.indexOf(String(one)));
  return own !== undefined && least !== undefined && own >= 0 && own >= least;
}

function ofVariables(given: Settings['defaults.environment'], trusted: Settings): Verdict {
  const [kept, held] = parted(
    Object.entries(given),
    ([variable, value]) =>
      isHarmlessVariable(variable) || trusted['defaults.environment'][variable] === value,
  );
  if (held.length === 0) return fine;
  const names = held.map(([variable]) => variable);
  return { kind: 'waits', kept: Object.fromEntries(kept), held: names };
}

/** Directories of a system: what lies there is run or obeyed by programs that know nothing of the project. */
const systemPlaces =
  /^\/(bin|boot|dev|etc|home|lib\w*|nix|opt|proc|root|run|sbin|snap|sys|tmp|usr|var)(\/|$)/;

/** Whether what a project mounts there cannot take the place of the agent's program, its settings or the system's. */
function isOwnPlace(container: string): boolean {
  return container !== '/' && !systemPlaces.test(container);
}

/** The value with paths as they were judged: who uses it later need not ask again where they lead. */
export function settled(
  name: KeyName,
  value: unknown,
  facts: Pick<TrustFacts, 'realPath'>,
): unknown {
  const at = (path: string) => withoutLinks(path, facts);
  if (keyOf(name).trust === 'inside') return at(String(value));
  if (!Array.isArray(value)) return value;
  return value.map((entry: unknown) => {
    const host = isTable(entry) ? entry['host'] : undefined;
    return isTable(entry) && typeof host === 'string' && host.startsWith('/')
      ? { ...entry, host: at(host) }
      : entry;
  });
}

/** What an approval is bound to: every value of the file that could ever have to wait, with paths as they resolve now. */
export function approvalDigest(source: ConfigSource, facts: Pick<TrustFacts, 'realPath'>): string {
  const lines = (Object.keys(source.values) as KeyName[])
    .filter((name) => !isEverybodys(keyOf(name).trust))
    .flatMap((name) =>
      entriesOf(source.values[name]).map((entry) =>
        JSON.stringify([name, entry, ...resolvedPaths(entry, facts.realPath)]),
      ),
    );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

/** `key = value` for people. */
export function valueText(name: string, value: unknown): string {
  return `${name} = ${JSON.stringify(fileValue(name as KeyName, value))}`;
}

function partly<T>(values: readonly T[], isHarmless: (value: T) => boolean): Verdict {
  const [kept, held] = parted(values, isHarmless);
  return held.length === 0 ? fine : { kind: 'waits', kept, held };
}

function parted<T>(values: readonly T[], first: (value: T) => boolean): [T[], T[]] {
  return [values.filter(first), values.filter((value) => !first(value))];
}

function isInside(path: string, facts: Pick<TrustFacts, 'workspace' | 'realPath'>): boolean {
  const real = withoutLinks(path, facts);
  return real === facts.workspace || real.startsWith(`${facts.workspace}/`);
}

/** A path that does not exist yet is judged by its nearest existing parent. */
export function withoutLinks(path: string, { realPath }: Pick<TrustFacts, 'realPath'>): string {
  for (let part = path; part.length > 1; part = part.slice(0, part.lastIndexOf('/'))) {
    const real = realPath(part);
    // A link to nothing leads nowhere, so its own name says no more.
    if (real?.startsWith('/')) return `${real}${path.slice(part.length)}`;
    if (real !== undefined) return 'dangling';
  }
  return path;
}

/** What an approval need not cover. */
function isEverybodys(trust: Trust): boolean {
  return trust === 'harmless' || trust === 'user';
}

function entriesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function resolvedPaths(entry: unknown, realPath: TrustFacts['realPath']): string[] {
  const path = isTable(entry) ? entry['host'] : entry;
  return typeof path === 'string' && path.startsWith('/') ? [realPath(path) ?? ''] : [];
}
