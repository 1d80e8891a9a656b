// What a login of an agent is, whichever tool has it. Each tool's file is described in a file of its own; all is pure.
import { createHash } from 'node:crypto';
import { isTooDeep } from './json-depth.ts';

export type Json = Readonly<Record<string, unknown>>;

/** One login in a tool's file. */
export interface Login {
  /** Whose: `claude.ai`, or the provider's name where the file holds several. */
  readonly id: string;
  /** Empty for a key that is never renewed. */
  readonly refresh: string;
  readonly access: string;
  /** When the access token ends. */
  readonly expiresMs: number;
  /** Whom it belongs to; two logins of one account have the same text. */
  readonly account: string | undefined;
  /** The same for people, such as an e-mail address. */
  readonly name: string | undefined;
  /** What is written for it. */
  readonly value: Json;
  /** What is written for it into the file that names the account. */
  readonly profile?: Json | undefined;
}

/** What a file holds; `blank` are those that were there and are of no use any more. */
export interface Logins {
  readonly logins: ReadonlyMap<string, Login>;
  readonly blank: ReadonlySet<string>;
  /** Whom the file that names the account names, also without a login. */
  readonly account?: string | undefined;
  /** What that file says of it. */
  readonly profile?: Json | undefined;
}

export interface LoginTexts {
  readonly main: string | undefined;
  /** Of the file that names the account, where the tool has one. */
  readonly account?: string | undefined;
}

/** How to ask a provider whose a token is. */
export interface Question {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From the body of an answer with status 200; undefined where it does not say. */
  readonly read: (body: Json) => Identity | undefined;
}

export interface Identity {
  readonly account: string;
  readonly name: string | undefined;
}

/** How a tool keeps its logins. Paths are relative to the home, the host's or the container's. */
export interface LoginFile {
  readonly tool: string;
  readonly path: string;
  /** No access token lives longer: what says so is made up. */
  readonly lifeMaxMs: number;
  /** The file that names the account, where it is another. */
  readonly account?: {
    readonly host: string;
    readonly store: string;
    readonly lock?: { readonly name: string; readonly staleMs: number };
  };
  /** Never throws: what cannot be read holds nothing. */
  readonly read: (texts: LoginTexts) => Logins;
  /** The text of the file with that login in it. What else it holds stays; what is no JSON is written anew. */
  readonly put: (text: string | undefined, login: Login) => string;
  /** The text without that login. */
  readonly drop: (text: string | undefined, id: string) => string;
  /** The same for the file that names the account. */
  readonly putProfile?: (text: string | undefined, profile: Json) => string;
  /** The login as if it ended at that time; undefined where the tool would not believe it. */
  readonly ending?: (login: Login, expiresMs: number) => Login;
  /**
   * A directory beside the file that the tool makes while it renews, waiting for another's until that is so old. It
   * renews that long before the end. `ofDirectory`: older versions make `<directory>.lock`, and newer ones both.
   */
  readonly lock?: {
    readonly name: string;
    readonly ofDirectory: boolean;
    readonly staleMs: number;
    readonly earlyMs: number;
  };
  /** Undefined where the provider cannot be asked. */
  readonly question: (login: Login) => Question | undefined;
}

/** Longer ones are nobody's. */
const tokenMax = 16_384;
const nameMax = 200;

/** A token as providers make them; empty for anything else. */
export function tokenIn(value: unknown): string {
  return typeof value === 'string' && value.length <= tokenMax && /^[\x21-\x7e]+$/.test(value)
    ? value
    : '';
}

/** The last moment that a date can name. */
const lastMs = 8_640_000_000_000_000;

/** A moment in milliseconds; undefined for what is none. */
export function timeIn(value: unknown): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= lastMs ? value : undefined;
}

export function stringIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= 1000 ? value : undefined;
}

/** A name for people: one line of text, since an agent may have written it. */
export function nameIn(value: unknown): string | undefined {
  const text = stringIn(value)
    ?.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return stringIn(text?.slice(0, nameMax));
}

/** Two texts of `account`: the same, or the same person where one of them names no organization. */
export function sameAccount(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const [person, organization] = partsOf(one);
  const [otherPerson, otherOrganization] = partsOf(other);
  const unsaid = organization === '' || otherOrganization === '';
  return (
    person === otherPerson && (organization === otherOrganization || (unsaid && person !== ''))
  );
}

/** The person and the organization, which may be missing. */
function partsOf(account: string): [string, string] {
  const [person = '', ...organization] = account.split(' ');
  return [person, organization.join(' ')];
}

export function objectIn(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : undefined;
}

/** The object that a text holds, if it holds one that is not nested too deeply. */
export function jsonIn(text: string | undefined): Json | undefined {
  if (text !== undefined && isTooDeep(text)) return undefined;
  try {
    return objectIn(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}

export function jsonText(value: Json): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Only those keys that have a value. */
export function defined(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
}

/** What a JSON Web Token says, without looking at its signature. */
export function claimsOf(token: string): Json | undefined {
  return jsonIn(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

/** Tells a token from others without being one. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url').slice(0, 22);
}
