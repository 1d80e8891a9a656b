// What coi remembers about a tool's logins, without any token: which were shared, which one is, and the verdicts on
// sessions. Stored in ~/.coi/logins/<tool>.json, which no container sees. Pure.
import { type Json, jsonIn, jsonText, nameIn, objectIn, stringIn } from './formats/login.ts';

/** Why a session's login is not shared. */
export type Reason =
  /** It belongs to another account. */
  | 'other'
  /** The provider does not accept it. */
  | 'refused'
  /** It is valid and the user's, and so is the host's: each keeps its own. */
  | 'apart'
  /** On the host: it belongs to another account than the one before, which came from a session. */
  | 'changed'
  /** Its two tokens do not belong together. */
  | 'mixed'
  /** Its account is unknown. */
  | 'unknown'
  /** Its login was shared, turned out to be another account's, and was removed. */
  | 'swapped'
  /** The user has no login to compare it with. */
  | 'offered';

export interface Verdict {
  readonly session: string;
  /** Hash of the judged login; another login gets its own verdict. */
  readonly hash: string;
  readonly reason: Reason;
  readonly name: string | undefined;
  /** The user has seen it. */
  readonly told?: boolean | undefined;
}

export interface KnownTokens {
  /** Hashes of all tokens that were shared, the latest last. */
  readonly tokens: readonly string[];
  /** Hashes of host tokens that sessions got while their account was unknown: not new in a session. */
  readonly given: readonly string[];
  /** Hash of the refresh token (or key) that is shared now. */
  readonly current: string | undefined;
  readonly account: string | undefined;
  readonly name: string | undefined;
  /** The session that it came from, or `host`. */
  readonly from: string | undefined;
  readonly verdicts: readonly Verdict[];
}

/** By login id. */
export type LoginMemory = ReadonlyMap<string, KnownTokens>;

export const nothingKnown: KnownTokens = {
  tokens: [],
  given: [],
  current: undefined,
  account: undefined,
  name: undefined,
  from: undefined,
  verdicts: [],
};

/** A larger file would not be read back. */
export const memoryMaxBytes = 2 ** 20;
const loginsMax = 100;
const tokensMax = 2000;
const givenMax = 100;
const verdictsMax = 200;
const reasons: readonly string[] = [
  'other',
  'refused',
  'mixed',
  'unknown',
  'swapped',
  'offered',
  'apart',
  'changed',
];

/** Below `~/.coi`. */
export function memoryPath(tool: string): string {
  return `logins/${tool}.json`;
}

export function parseMemory(text: string | undefined): LoginMemory {
  const logins = objectIn(jsonIn(text)?.['logins']) ?? {};
  return new Map(
    Object.entries(logins).flatMap(([id, entry]) => {
      const own = objectIn(entry);
      return own ? [[id, parseKnown(own)] as const] : [];
    }),
  );
}

export function memoryText(memory: LoginMemory): string {
  // Logins of the user before those that only sessions have.
  const all = [...memory].filter(([, known]) => !isEmpty(known));
  const first = all.filter(([, { current }]) => current !== undefined);
  const rest = all.filter(([, { current }]) => current === undefined);
  const kept = [...first, ...rest].slice(0, loginsMax);
  for (let part = 1; ; part /= 2) {
    const text = jsonText({ version: 1, logins: Object.fromEntries(kept.map(latest(part))) });
    if (Buffer.byteLength(text) <= memoryMaxBytes) return text;
  }
}

function isEmpty({ tokens, given, current, verdicts }: KnownTokens): boolean {
  return [tokens, given, verdicts].every(({ length }) => length === 0) && current === undefined;
}

/** An entry of the file, cut to that fraction of the limits. */
function latest(part: number) {
  return ([id, known]: readonly [string, KnownTokens]) => [
    id,
    {
      ...known,
      tokens: known.tokens.slice(-Math.ceil(tokensMax * part)),
      given: known.given.slice(-Math.ceil(givenMax * part)),
      verdicts: known.verdicts.slice(-Math.ceil(verdictsMax * part)),
    },
  ];
}

/** Adds tokens, each once. */
export function withTokens(known: KnownTokens, hashes: readonly string[]): KnownTokens {
  return { ...known, tokens: withLatest(known.tokens, hashes) };
}

/** Adds host tokens that sessions get although their account is unknown. */
export function withGiven(known: KnownTokens, hashes: readonly string[]): KnownTokens {
  return { ...known, given: withLatest(known.given, hashes) };
}

function withLatest(before: readonly string[], hashes: readonly string[]): readonly string[] {
  const fresh = [...new Set(hashes)].filter((hash) => hash !== '');
  return [...before.filter((one) => !fresh.includes(one)), ...fresh];
}

function parseKnown(own: Json): KnownTokens {
  const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : []);
  const texts = (value: unknown) => list(value).filter((one) => typeof one === 'string');
  return {
    tokens: texts(own['tokens']),
    given: texts(own['given']),
    current: stringIn(own['current']),
    account: stringIn(own['account']),
    name: nameIn(own['name']),
    from: stringIn(own['from']),
    verdicts: list(own['verdicts']).flatMap((one) => {
      const entry = objectIn(one);
      const [session, hash, reason] = [entry?.['session'], entry?.['hash'], entry?.['reason']];
      return typeof session === 'string' && typeof hash === 'string' && isReason(reason)
        ? [
            {
              session,
              hash,
              reason,
              name: nameIn(entry?.['name']),
              told: entry?.['told'] === true,
            },
          ]
        : [];
    }),
  };
}

function isReason(value: unknown): value is Reason {
  return typeof value === 'string' && reasons.includes(value);
}
