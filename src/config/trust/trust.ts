// Decides which values of a project file apply. Anybody may have written the file, the agent included: a value that is
// harmless or tightens something applies at once; one that loosens something needs approval of that exact value
// (`coi trust`). Pure.
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
  /** The configuration without project files: the baseline for "looser". */
  readonly trusted: Settings;
  /** The workspace with all links resolved. */
  readonly workspace: string;
  /** A host path with all links resolved; undefined if it does not exist. */
  readonly realPath: (path: string) => string | undefined;
  /** The host's memory, the base of percentages. */
  readonly memoryBytes: number;
}

export type Verdict =
  | { readonly kind: 'fine' }
  /** Only the user's own files may set it. */
  | { readonly kind: 'ignored' }
  /** `kept` is the harmless part, if any; `held` is the rest, for display (only the names of variables). */
  | { readonly kind: 'waits'; readonly kept: unknown; readonly held: unknown };

const fine: Verdict = { kind: 'fine' };

/** Judges one value of a project file. A value that no trust class permits needs approval; so do unknown classes. */
export function judgeValue(name: KeyName, value: unknown, facts: TrustFacts): Verdict {
  const { trust, merge } = keyOf(name);
  if (trust === 'user') return { kind: 'ignored' };
  if (changesNothing(merge, facts.trusted[name], value)) return fine;
  return judgeByClass(name, trust, value, facts) ?? { kind: 'waits', kept: undefined, held: value };
}

/** Undefined if the whole value needs approval. */
function judgeByClass(
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
      return judgeEach(
        value as readonly string[],
        (entry) =>
          trusted['network.mode'] !== 'allowlist' ||
          trusted['network.allowed_domains'].includes(entry),
      );
    case 'mounts':
      return judgeEach(
        value as Settings['mounts.default'],
        ({ host, container }) => isInside(host, facts) && isAllowedTarget(container),
      );
    case 'inside':
      return isInside(String(value), facts) ? fine : undefined;
    case 'here':
      // An image from a remote is downloaded, and root unpacks it.
      return String(value).includes(':') ? undefined : fine;
    case 'environment':
      return judgeVariables(value as Settings['defaults.environment'], trusted);
    default:
      return undefined;
  }
}

function isAsStrict(loosestFirst: readonly string[], value: unknown, trusted: unknown): boolean {
  const [own, least] = [value, trusted].map((one) => loosestFirst.indexOf(String(one)));
  return own !== undefined && least !== undefined && own >= 0 && own >= least;
}

function judgeVariables(given: Settings['defaults.environment'], trusted: Settings): Verdict {
  const [kept, held] = partition(
    Object.entries(given),
    ([variable, value]) =>
      isHarmlessVariable(variable) || trusted['defaults.environment'][variable] === value,
  );
  if (held.length === 0) return fine;
  const names = held.map(([variable]) => variable);
  return { kind: 'waits', kept: Object.fromEntries(kept), held: names };
}

/** System directories: programs unrelated to the project run or read files there. */
const systemDirectories =
  /^\/(bin|boot|dev|etc|home|lib\w*|nix|opt|proc|root|run|sbin|snap|sys|tmp|usr|var)(\/|$)/;

/** Whether a mount at that target cannot replace the agent's program, its settings or system files. */
function isAllowedTarget(container: string): boolean {
  return container !== '/' && !systemDirectories.test(container);
}

/** The value with host paths as they were checked, so that later users need not resolve links again. */
export function resolveHostPaths(
  name: KeyName,
  value: unknown,
  facts: Pick<TrustFacts, 'realPath'>,
): unknown {
  const at = (path: string) => resolveLinks(path, facts);
  if (keyOf(name).trust === 'inside') return at(String(value));
  if (!Array.isArray(value)) return value;
  return value.map((entry: unknown) => {
    const host = isTable(entry) ? entry['host'] : undefined;
    return isTable(entry) && typeof host === 'string' && host.startsWith('/')
      ? { ...entry, host: at(host) }
      : entry;
  });
}

/** What an approval covers: every value of the file that could need approval, with paths as they resolve now. */
export function approvalDigest(source: ConfigSource, facts: Pick<TrustFacts, 'realPath'>): string {
  const lines = (Object.keys(source.values) as KeyName[])
    .filter((name) => !needsNoApproval(keyOf(name).trust))
    .flatMap((name) =>
      entriesOf(source.values[name]).map((entry) =>
        JSON.stringify([name, entry, ...resolvedPaths(entry, facts.realPath)]),
      ),
    );
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

/** `key = value` for display. */
export function valueText(name: string, value: unknown): string {
  return `${name} = ${JSON.stringify(fileValue(name as KeyName, value))}`;
}

function judgeEach<T>(values: readonly T[], isHarmless: (value: T) => boolean): Verdict {
  const [kept, held] = partition(values, isHarmless);
  return held.length === 0 ? fine : { kind: 'waits', kept, held };
}

function partition<T>(values: readonly T[], first: (value: T) => boolean): [T[], T[]] {
  return [values.filter(first), values.filter((value) => !first(value))];
}

function isInside(path: string, facts: Pick<TrustFacts, 'workspace' | 'realPath'>): boolean {
  const real = resolveLinks(path, facts);
  return real === facts.workspace || real.startsWith(`${facts.workspace}/`);
}

/** Resolves links; for a path that does not exist yet, those of its nearest existing parent. */
export function resolveLinks(path: string, { realPath }: Pick<TrustFacts, 'realPath'>): string {
  for (let part = path; part.length > 1; part = part.slice(0, part.lastIndexOf('/'))) {
    const real = realPath(part);
    // A dangling link: its own path is no evidence of where it will lead.
    if (real?.startsWith('/')) return `${real}${path.slice(part.length)}`;
    if (real !== undefined) return 'dangling';
  }
  return path;
}

/** Trust classes that an approval need not cover. */
function needsNoApproval(trust: Trust): boolean {
  return trust === 'harmless' || trust === 'user';
}

function entriesOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function resolvedPaths(entry: unknown, realPath: TrustFacts['realPath']): string[] {
  const path = isTable(entry) ? entry['host'] : entry;
  return typeof path === 'string' && path.startsWith('/') ? [realPath(path) ?? ''] : [];
}
