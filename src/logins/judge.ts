// What speaks for and against one login of a session, and what is kept of that. Pure.
import { type Identity, type Login, sameAccount } from './formats/login.ts';
import { hashOf } from './login-status.ts';
import type { KnownTokens, Reason, Verdict } from './memory.ts';

/** One login as the host or a session has it. */
export interface LoginCopy {
  /** `host`, or the id of the session. */
  readonly holder: string;
  /** Undefined if it is missing or of no use. */
  readonly login: Login | undefined;
  /** It was there, and was emptied: as a tool leaves one that its provider refused. */
  readonly blank: boolean;
}

/** What a provider said of an access token; `later` if it answered, but said nothing of it. */
export type Answer = Identity | 'refused' | 'unreachable' | 'later' | 'no-question';

export interface Situation {
  readonly copies: readonly LoginCopy[];
  /** Whom the host's files name, where they hold no login that does. */
  readonly hostAccount: string | undefined;
  readonly known: KnownTokens;
  /** By holder; those that are not there have not been asked. */
  readonly answers: ReadonlyMap<string, Answer>;
  readonly nowMs: number;
  /** What ends later than that after now says what no provider would. */
  readonly lifeMaxMs: number;
}

export interface HeldLogin {
  readonly holder: string;
  readonly login: Login;
}

/** Not judged before, and its token can show something. */
export function needsQuestion({ holder, login }: HeldLogin, situation: Situation): boolean {
  const { answers, known } = situation;
  const before = earlierVerdict(holder, login, known)?.reason;
  const wanted = !before || before === 'offered';
  return !answers.has(holder) && isInformative(login, situation) && wanted;
}

/** It has not ended, and says no more than a provider would: everything later would count as older. */
export function hasPlausibleExpiry({ expiresMs }: Login, { nowMs, lifeMaxMs }: Situation): boolean {
  return expiresMs > nowMs && expiresMs <= nowMs + lifeMaxMs;
}

/** Also one that names no end at all, as of providers whose tokens have none. */
export function isInformative(login: Login, situation: Situation): boolean {
  return login.expiresMs === 0 || hasPlausibleExpiry(login, situation);
}

/** What was said of that login of that session before. */
export function earlierVerdict(
  holder: string,
  login: Login,
  known: KnownTokens,
): Verdict | undefined {
  const hash = hashOf(login);
  return known.verdicts.find((one) => one.session === holder && one.hash === hash);
}

/** `account` is the user's; undefined where nobody says whose the user's login is. */
export function reasonAgainst(
  { holder, login }: HeldLogin,
  { account, isAsked }: { account: string | undefined; isAsked: boolean },
  situation: Situation,
): Reason | 'later' | undefined {
  const { answers, known } = situation;
  const before = earlierVerdict(holder, login, known);
  if (before && before.reason !== 'offered') return before.reason;
  const answer = answers.get(holder);
  if (answer === 'later') return 'later';
  if (answer === 'no-question' && login.expiresMs === 0) return 'unknown';
  if (isIdentity(answer) && hasPlausibleExpiry(login, situation)) {
    if (account === undefined) return isAsked ? 'later' : 'unknown';
    return sameAccount(answer.account, account) ? undefined : 'other';
  }
  if (login.account !== undefined && account !== undefined && !sameAccount(login.account, account))
    return 'other';
  // An access token that has ended shows nothing, whatever is beside it.
  if (answer === 'refused' || !hasPlausibleExpiry(login, situation)) return 'refused';
  // Where no file names an account, nothing speaks against it.
  if (answer === 'unreachable') return sameAccount(login.account, account) ? undefined : 'later';
  return 'unknown';
}

export function makeVerdict(
  session: string,
  login: Login,
  reason: Reason,
  { answers, known }: Situation,
): Verdict {
  const answer = answers.get(session);
  const before = earlierVerdict(session, login, known);
  const name = isIdentity(answer) ? answer.name : (before?.name ?? login.name);
  return { session, hash: hashOf(login), reason, name, told: before?.told ?? false };
}

/** One verdict for a session: the latest, as long as the session has what was judged. */
export function withVerdicts(
  known: KnownTokens,
  copies: readonly LoginCopy[],
  fresh: readonly Verdict[],
): KnownTokens {
  const seen = new Set(copies.map(({ holder }) => holder));
  const stays = ({ session, reason, told }: Verdict) =>
    reason === 'swapped' ? !told : !seen.has(session);
  return { ...known, verdicts: [...known.verdicts.filter(stays), ...fresh] };
}

export function isIdentity(answer: Answer | undefined): answer is Identity {
  return typeof answer === 'object';
}
