// What is known of a login by the hashes of its tokens. Pure.
import { type Login, tokenHash } from './formats/login.ts';
import { type KnownTokens, withTokens } from './memory.ts';

/**
 * - `current`: what everybody has; `old`: what everybody had.
 * - `new`: never seen, as after a renewal or a login.
 * - `mixed`: a refresh token that was never seen beside an access token that was. No provider gives such a pair.
 */
export type LoginStatus = 'current' | 'old' | 'new' | 'mixed';

export function loginStatus(login: Login, known: KnownTokens): LoginStatus {
  const hash = hashOf(login);
  if (hash === known.current) return 'current';
  if (known.tokens.includes(hash)) return 'old';
  const paired = login.refresh !== '' && login.access !== '';
  return paired && known.tokens.includes(tokenHash(login.access)) ? 'mixed' : 'new';
}

/** As a session's login is looked at: what the host has, or had and gave away, is nobody's secret any more. */
export function knownInSessions(known: KnownTokens, hosts: Login | undefined): KnownTokens {
  return withTokens(known, [...known.given, ...(hosts ? hashesOf(hosts) : [])]);
}

/** By what one login is told from another: the refresh token, or the key that has none. */
export function hashOf(login: Login): string {
  return tokenHash(login.refresh || login.access);
}

export function hashesOf(login: Login): string[] {
  return [login.refresh, login.access].filter((token) => token !== '').map(tokenHash);
}
