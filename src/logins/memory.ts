// What coi remembers of a tool's logins, without any token: which were everybody's, which is now, what was told of which
// session. In ~/.coi/logins/<tool>.json, which no container sees. Pure.
import { type Json, jsonIn, jsonText, nameIn, objectIn, stringIn } from './login.ts';

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

export interface Known {
  /** Hashes of all tokens that were everybody's, the latest last. */
  readonly tokens: readonly string[];
  /** Of the refresh token (or key) that is everybody's now. */
  readonly current: string | undefined;
  readonly account: string | undefined;
  readonly name: string | undefined;
  /** The session that brought it, or `host`. */
  readonly from: string | undefined;
  readonly verdicts: readonly Verdict[];
}

/** By the id of the login. */
export type Memory = ReadonlyMap<string, Known>;

export const nothingKnown: Known = {
  tokens: [],
  current: undefined,
  account: undefined,
  name: undefined,
  from: undefined,
  verdicts: [],
};

const tokensMax = 2000;
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

export function memoryPath(tool: string): string {
  return `.coi/logins/${tool}.json`;
}

export function readMemory(text: string | undefined): Memory {
  const logins = objectIn(jsonIn(text)?.['logins']) ?? {};
  return new Map(
    Object.entries(logins).flatMap(([id, entry]) => {
      const own = objectIn(entry);
      return own ? [[id, knownOf(own)] as const] : [];
    }),
  );
}

export function memoryText(memory: Memory): string {
  const logins = Object.fromEntries(
    [...memory].map(([id, known]) => [
      id,
      {
        ...known,
        tokens: known.tokens.slice(-tokensMax),
        verdicts: known.verdicts.slice(-verdictsMax),
      },
    ]),
  );
  return jsonText({ version: 1, logins });
}

/** With more tokens known, each once. */
export function withTokens(known: Known, hashes: readonly string[]): Known {
  const fresh = [...new Set(hashes)].filter((hash) => hash !== '');
  return { ...known, tokens: [...known.tokens.filter((one) => !fresh.includes(one)), ...fresh] };
}

function knownOf(own: Json): Known {
  const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : []);
  return {
    tokens: list(own['tokens']).filter((one) => typeof one === 'string'),
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
