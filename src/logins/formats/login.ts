// Types and helpers for the logins of all tools. Each tool's format has its own file. Pure.
import { createHash } from 'node:crypto';
import { isTooDeep } from './json-depth.ts';

export type Json = Readonly<Record<string, unknown>>;

/** One login in a tool's file. */
export interface Login {
  /** `claude.ai`, or the provider's name if the file contains several. */
  readonly id: string;
  /** Empty for a key that is never renewed. */
  readonly refresh: string;
  readonly access: string;
  /** Expiry of the access token. */
  readonly expiresMs: number;
  /** The account; equal for two logins of one account. */
  readonly account: string | undefined;
  /** Account name for people, such as an e-mail address. */
  readonly name: string | undefined;
  /** What is written to the login file. */
  readonly value: Json;
  /** What is written to the account file. */
  readonly profile?: Json | undefined;
}

/** Contents of a login file; `blank`: logins that the tool emptied. */
export interface Logins {
  readonly logins: ReadonlyMap<string, Login>;
  readonly blank: ReadonlySet<string>;
  /** Account that the account file names, even without a login. */
  readonly account?: string | undefined;
  /** Profile in the account file. */
  readonly profile?: Json | undefined;
}

export interface LoginTexts {
  readonly main: string | undefined;
  /** Text of the account file, if the tool has one. */
  readonly account?: string | undefined;
}

/** How to ask a provider for the account of a token. */
export interface Question {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Reads the body of an answer with status 200; undefined if it names no account. */
  readonly read: (body: Json) => Identity | undefined;
}

export interface Identity {
  readonly account: string;
  readonly name: string | undefined;
}

/** How a tool stores its logins. Paths are relative to the home, on the host or in the container. */
export interface LoginFile {
  readonly tool: string;
  readonly path: string;
  /** No access token lives longer; a later expiry is forged. */
  readonly lifeMaxMs: number;
  /** The account file, if it is not the login file. */
  readonly account?: {
    readonly host: string;
    readonly store: string;
    readonly lock?: { readonly name: string; readonly staleMs: number };
  };
  /** Never throws: text that cannot be parsed contains no logins. */
  readonly read: (texts: LoginTexts) => Logins;
  /** Adds the login to the text of a file and keeps its other content; invalid JSON is replaced. */
  readonly put: (text: string | undefined, login: Login) => string;
  /** Removes the login from the text. */
  readonly drop: (text: string | undefined, id: string) => string;
  /** Adds the profile to the text of the account file. */
  readonly putProfile?: (text: string | undefined, profile: Json) => string;
  /** The login with that expiry; undefined if the tool would ignore it. */
  readonly withExpiry?: (login: Login, expiresMs: number) => Login;
  /**
   * Directory next to the file that the tool creates as a lock while it renews, `earlyMs` before the expiry. A lock
   * older than `staleMs` is ignored. `ofDirectory`: older versions create `<directory>.lock`, newer ones both.
   */
  readonly lock?: {
    readonly name: string;
    readonly ofDirectory: boolean;
    readonly staleMs: number;
    readonly earlyMs: number;
  };
  /** Undefined if the provider cannot be asked. */
  readonly question: (login: Login) => Question | undefined;
}

/** No provider's tokens are longer. */
const tokenMax = 16_384;
const nameMax = 200;

/** A plausible token; empty for anything else. */
export function tokenIn(value: unknown): string {
  return typeof value === 'string' && value.length <= tokenMax && /^[\x21-\x7e]+$/.test(value)
    ? value
    : '';
}

/** The largest time value of a Date. */
const lastMs = 8_640_000_000_000_000;

/** A time in milliseconds; undefined if the value is not a valid one. */
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

/** Compares two values of `account`: equal, or the same person if one of them names no organization. */
export function sameAccount(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const [person, organization] = partsOf(one);
  const [otherPerson, otherOrganization] = partsOf(other);
  const unspecified = organization === '' || otherOrganization === '';
  return (
    person === otherPerson && (organization === otherOrganization || (unspecified && person !== ''))
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

/** Parses a JSON object; undefined for anything else and for one that is nested too deeply. */
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

/** Removes keys without a value. */
export function withoutUndefined(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
}

/** Claims of a JSON Web Token; does not verify its signature. */
export function claimsOf(token: string): Json | undefined {
  return jsonIn(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

/** Identifies a token without revealing it. */
export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url').slice(0, 22);
}
