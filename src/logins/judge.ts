// Judges one login of a session, and records the verdict. Pure.
import { type Identity, type Login, sameAccount } from './formats/login.ts';
import { hashOf } from './login-status.ts';
import type { KnownTokens, Reason, Verdict } from './memory.ts';

/** One login as the host or a session has it. */
export interface LoginCopy {
  /** `host`, or the id of the session. */
  readonly holder: string;
  /** Undefined if it is missing or unusable. */
  readonly login: Login | undefined;
  /** The login was emptied, as tools do after the provider refused it. */
  readonly blank: boolean;
}

/** A provider's answer about an access token; `later`: an inconclusive answer. */
export type Answer = Identity | 'refused' | 'unreachable' | 'later' | 'no-question';

export interface Situation {
  readonly copies: readonly LoginCopy[];
  /** Account that the host's files name when its login does not. */
  readonly hostAccount: string | undefined;
  readonly known: KnownTokens;
  /** By holder; only for holders that were asked about. */
  readonly answers: ReadonlyMap<string, Answer>;
  readonly nowMs: number;
  /** Providers issue no token with a longer lifetime. */
  readonly lifeMaxMs: number;
}

export interface HeldLogin {
  readonly holder: string;
  readonly login: Login;
}

/** Has no verdict yet, and its token is informative. */
export function needsQuestion({ holder, login }: HeldLogin, situation: Situation): boolean {
  const { answers, known } = situation;
  const before = earlierVerdict(holder, login, known)?.reason;
  const wanted = !before || before === 'offered';
  return !answers.has(holder) && isInformative(login, situation) && wanted;
}

/** Not expired, and not later than any provider would set it: every real login would count as older. */
export function hasPlausibleExpiry({ expiresMs }: Login, { nowMs, lifeMaxMs }: Situation): boolean {
  return expiresMs > nowMs && expiresMs <= nowMs + lifeMaxMs;
}

/** A plausible expiry, or none at all, as for providers whose tokens have none. */
export function isInformative(login: Login, situation: Situation): boolean {
  return login.expiresMs === 0 || hasPlausibleExpiry(login, situation);
}

/** The recorded verdict on that login of that session. */
export function earlierVerdict(
  holder: string,
  login: Login,
  known: KnownTokens,
): Verdict | undefined {
  const hash = hashOf(login);
  return known.verdicts.find((one) => one.session === holder && one.hash === hash);
}

/** `account` is the user's; undefined if it is unknown. */
export function rejectionReason(
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
  // An expired access token proves nothing, whatever else the file contains.
  if (answer === 'refused' || !hasPlausibleExpiry(login, situation)) return 'refused';
  // If no file names an account, nothing contradicts it.
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

/** Keeps one verdict per session: the latest, as long as the session has that login. */
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
