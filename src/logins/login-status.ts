// Status of a login, derived from the hashes of its tokens. Pure.
import { type Login, tokenHash } from './formats/login.ts';
import { type KnownTokens, withTokens } from './memory.ts';

/**
 * - `current`: shared now; `old`: shared before.
 * - `new`: never seen, as after a renewal or a login.
 * - `mixed`: a new refresh token with a known access token. No provider issues such a pair.
 */
export type LoginStatus = 'current' | 'old' | 'new' | 'mixed';

export function loginStatus(login: Login, known: KnownTokens): LoginStatus {
  const hash = hashOf(login);
  if (hash === known.current) return 'current';
  if (known.tokens.includes(hash)) return 'old';
  const paired = login.refresh !== '' && login.access !== '';
  return paired && known.tokens.includes(tokenHash(login.access)) ? 'mixed' : 'new';
}

/** For judging a session's login: the tokens that the host has or distributed count as known. */
export function knownInSessions(known: KnownTokens, hosts: Login | undefined): KnownTokens {
  return withTokens(known, [...known.given, ...(hosts ? hashesOf(hosts) : [])]);
}

/** Identifies a login: the hash of its refresh token, or of the key if it has none. */
export function hashOf(login: Login): string {
  return tokenHash(login.refresh || login.access);
}

export function hashesOf(login: Login): string[] {
  return [login.refresh, login.access].filter((token) => token !== '').map(tokenHash);
}
