// Judges a new login on the host: a login by the user, or a renewal of one that came from a session. Pure.
import { sameAccount } from './formats/login.ts';
import { type Answer, type HeldLogin, isIdentity, type Situation } from './judge.ts';
import { loginStatus } from './login-status.ts';
import type { KnownTokens } from './memory.ts';

export const host = 'host';

export function isRenewed({ holder, login }: HeldLogin, known: KnownTokens): boolean {
  return holder === host && loginStatus(login, known) === 'new';
}

export function isFromSession({ from }: KnownTokens): boolean {
  return from !== undefined && from !== host;
}

export function isUnanswered(answer: Answer | undefined): boolean {
  return answer === 'unreachable' || answer === 'later';
}

/** A renewal of a login from a session, of unknown account: it is not distributed until the provider answers. */
export function isUndecided(
  base: HeldLogin,
  answer: Answer | undefined,
  known: KnownTokens,
): boolean {
  return isRenewed(base, known) && isFromSession(known) && isUnanswered(answer);
}

/** The renewal belongs to another person than the host's files name. */
export function isSwapped(
  base: HeldLogin,
  answer: Answer | undefined,
  known: KnownTokens,
): boolean {
  const { account } = base.login;
  return (
    isRenewed(base, known) &&
    isFromSession(known) &&
    account !== undefined &&
    sameAccount(account, known.account) &&
    isIdentity(answer) &&
    person(answer.account) !== person(account)
  );
}

/**
 * The renewal belongs to another person than before, and the host's files do not name one: the user may have logged in
 * as somebody else.
 */
export function isChanged(
  base: HeldLogin,
  answer: Answer | undefined,
  { known, hostAccount }: Situation,
): boolean {
  return (
    isRenewed(base, known) &&
    isFromSession(known) &&
    known.account !== undefined &&
    isIdentity(answer) &&
    person(answer.account) !== person(known.account) &&
    (hostAccount === undefined || !sameAccount(hostAccount, answer.account))
  );
}

/** The account without its organization, as of one person. */
function person(account: string): string {
  return account.split(' ')[0] ?? '';
}
