// What a project's own file may decide. It can have been written by anybody, the agent included: what is harmless or
// tightens counts, what loosens waits until the user has approved exactly that (`coi trust`). Pure.
import { createHash } from 'node:crypto';
import { type KeyName, keyOf, type Settings } from './keys.ts';
import type { ConfigSource } from './read.ts';
import { isTable } from './values.ts';

export interface TrustFacts {
  /** What is in force without any project file: what "looser" is compared with. */
  readonly trusted: Settings;
  /** The workspace without links. */
  readonly workspace: string;
  /** A host path without links; undefined if there is no such thing. */
  readonly realPath: (path: string) => string | undefined;
}

export type Verdict =
  | { readonly kind: 'fine' }
  /** Only the user's own files may say that. */
  | { readonly kind: 'ignored' }
  /** `kept` is the part that is harmless, if any; `held` the rest, for people (of variables only the names). */
  | { readonly kind: 'waits'; readonly kept: unknown; readonly held: unknown };

const fine: Verdict = { kind: 'fine' };
const strictness = { open: 0, restricted: 1, allowlist: 2 } as const;

/** Variables by which a project could lead the agent's login or its traffic to another server, or code into it. */
const redirecting =
  /(_|^)(BASE_?URL|API_BASE|API_URL|ENDPOINT(_URL)?|(HTTPS?|ALL|FTP|NO)_PROXY|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|LD_PRELOAD|LD_LIBRARY_PATH|API_KEY|AUTH_TOKEN)$/i;

/** Judges one value of a project's file. */
export function verdict(name: KeyName, value: unknown, facts: TrustFacts): Verdict {
  const { trusted } = facts;
  const waits: Verdict = { kind: 'waits', kept: undefined, held: value };
  switch (keyOf(name).trust) {
    case 'any':
      return fine;
    case 'user':
      return { kind: 'ignored' };
    case 'approve':
      return isNothing(value) ? fine : waits;
    case 'only-true':
      return value === true || trusted[name] === false ? fine : waits;
    case 'only-false':
      return value === false || trusted[name] === true ? fine : waits;
    case 'lower':
      return Number(value) <= Number(trusted[name]) ? fine : waits;
    case 'network-mode':
      return strictness[value as Settings['network.mode']] >= strictness[trusted['network.mode']]
        ? fine
        : waits;
    case 'permission':
      return value === 'interactive' || trusted['tool.permission_mode'] === 'bypass' ? fine : waits;
    case 'protection':
      return value === 'guard' || trusted['security.protection'] === 'watch' ? fine : waits;
    case 'domains':
      return partly(
        value as readonly string[],
        (entry) =>
          trusted['network.mode'] !== 'allowlist' ||
          trusted['network.allowed_domains'].includes(entry),
      );
    case 'mounts':
      return partly(value as Settings['mounts.default'], (mount) => isInside(mount.host, facts));
    case 'inside':
      return isInside(String(value), facts) ? fine : waits;
    case 'environment': {
      const [held, kept] = parted(
        Object.entries(value as Settings['defaults.environment']),
        ([variable]) => redirecting.test(variable),
      );
      if (held.length === 0) return fine;
      return {
        kind: 'waits',
        kept: Object.fromEntries(kept),
        held: held.map(([variable]) => variable),
      };
    }
  }
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
    .filter((name) => !['any', 'user'].includes(keyOf(name).trust))
    .flatMap((name) =>
      entriesOf(source.values[name]).map((entry) =>
        JSON.stringify([name, entry, ...resolvedPaths(entry, facts.realPath)]),
      ),
    );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

/** `key = value` for people. */
export function valueText(name: string, value: unknown): string {
  return `${name} = ${JSON.stringify(value)}`;
}

function partly<T>(values: readonly T[], isHarmless: (value: T) => boolean): Verdict {
  const [kept, held] = parted(values, isHarmless);
  return held.length === 0 ? fine : { kind: 'waits', kept, held };
}

function parted<T>(values: readonly T[], first: (value: T) => boolean): [T[], T[]] {
  return [values.filter(first), values.filter((value) => !first(value))];
}

export function isInside(path: string, facts: Pick<TrustFacts, 'workspace' | 'realPath'>): boolean {
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

function isNothing(value: unknown): boolean {
  return (
    value === 0 || value === '' || value === false || (Array.isArray(value) && value.length === 0)
  );
}

function entriesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function resolvedPaths(entry: unknown, realPath: TrustFacts['realPath']): string[] {
  const path = isTable(entry) ? entry['host'] : entry;
  return typeof path === 'string' && path.startsWith('/') ? [realPath(path) ?? ''] : [];
}
