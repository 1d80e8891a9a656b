// What coi remembers of a tool's logins, without any token: which were everybody's, which is now, what was told of which
// session. In ~/.coi/logins/<tool>.json, which no container sees. Pure.
import { type Json, jsonIn, jsonText, nameIn, objectIn, stringIn } from './formats/login.ts';

/** Why the login of a session was not taken. */
export type Reason =
  /** It belongs to another account. */
  | 'other'
  /** The provider does not accept it. */
  | 'refused'
  /** It is good and the user's, as is the host's: each has its own. */
  | 'apart'
  /** The host's own: it belongs to somebody else than the one before, which a session had brought. */
  | 'changed'
  /** Its two tokens do not belong together. */
  | 'mixed'
  /** Nobody says whose it is. */
  | 'unknown'
  /** What it had brought turned out to be somebody else's, and was taken away again. */
  | 'swapped'
  /** The user has no login to compare it with. */
  | 'offered';

export interface Verdict {
  readonly session: string;
  /** Hash of what was judged: another login is judged anew. */
  readonly hash: string;
  readonly reason: Reason;
  readonly name: string | undefined;
  /** The user has seen it. */
  readonly told?: boolean | undefined;
}

export interface KnownTokens {
  /** Hashes of all tokens that were everybody's, the latest last. */
  readonly tokens: readonly string[];
  /** Of the host's that sessions got before anybody said whose they are: in a session they are nothing new. */
  readonly given: readonly string[];
  /** Of the refresh token (or key) that is everybody's now. */
  readonly current: string | undefined;
  readonly account: string | undefined;
  readonly name: string | undefined;
  /** The session that brought it, or `host`. */
  readonly from: string | undefined;
  readonly verdicts: readonly Verdict[];
}

/** By the id of the login. */
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

/** What is longer is not read, and so never written. */
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

export function readMemory(text: string | undefined): LoginMemory {
  const logins = objectIn(jsonIn(text)?.['logins']) ?? {};
  return new Map(
    Object.entries(logins).flatMap(([id, entry]) => {
      const own = objectIn(entry);
      return own ? [[id, parseKnown(own)] as const] : [];
    }),
  );
}

export function memoryText(memory: LoginMemory): string {
  // The user's before those that only sessions have.
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

/** An entry of the file with that part of what may be kept. */
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

/** With more tokens known, each once. */
export function withTokens(known: KnownTokens, hashes: readonly string[]): KnownTokens {
  return { ...known, tokens: withLatest(known.tokens, hashes) };
}

/** With tokens of the host's that sessions get though nobody says whose they are. */
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
