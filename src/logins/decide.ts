// Decides which copy of a login is shared, who gets it, and which copies are rejected. Pure.
import { type Login, sameAccount } from './formats/login.ts';
import {
  host,
  isChanged,
  isFromSession,
  isRenewed,
  isSwapped,
  isUnanswered,
  isUndecided,
} from './host-renewal.ts';
import {
  type Answer,
  earlierVerdict,
  type HeldLogin,
  hasPlausibleExpiry,
  isIdentity,
  isInformative,
  type LoginCopy,
  makeVerdict,
  needsQuestion,
  rejectionReason,
  type Situation,
  withVerdicts,
} from './judge.ts';
import { hashesOf, hashOf, knownInSessions, loginStatus } from './login-status.ts';
import { type KnownTokens, type Verdict, withGiven, withTokens } from './memory.ts';

export { host } from './host-renewal.ts';
export type { Answer, LoginCopy, Situation } from './judge.ts';

interface Candidate extends HeldLogin {
  /** It expires later than the user's. */
  readonly expiresLater: boolean;
}

export interface Decision {
  /** Holders of access tokens to ask the provider about before anything else is done. */
  readonly ask: readonly string[];
  /** The login that is shared from now on, if any. */
  readonly winner: Login | undefined;
  readonly from: string | undefined;
  readonly recipients: readonly string[];
  /** The host's login came from a session and belongs to another account than its files say: remove it. */
  readonly swapped: boolean;
  /** A login could not be judged yet. */
  readonly later: boolean;
  readonly known: KnownTokens;
}

export function decide(situation: Situation): Decision {
  const { copies, known, answers } = situation;
  const own = copies.find(({ holder }) => holder === host);
  const sessions = copies.filter(({ holder }) => holder !== host);
  const current = sessions.find(({ login }) => login && loginStatus(login, known) === 'current');
  const base = baseOf(own, current, known);
  if (!base && !own?.blank) return withoutHost(situation, sessions);
  const answer = answers.get(host);
  // Never taken from a session's files.
  const named = own?.login?.account ?? situation.hostAccount ?? known.account;
  const account = named ?? (isIdentity(answer) ? answer.account : undefined);
  const seen = knownInSessions(known, base?.login);
  const candidates = sessions.flatMap(({ holder, login }) =>
    login && login.refresh !== '' && isCandidate({ holder, login }, base, seen, situation)
      ? [{ holder, login, expiresLater: !base || isLater(login, base) }]
      : [],
  );
  const open = candidates.filter((one) => needsQuestion(one, situation));
  const ask = [
    ...hostQuestion(situation, base, candidates.length > 0 ? account : named),
    ...baseQuestion(situation, base, candidates),
    ...open,
  ].map(({ holder }) => holder);
  if (ask.length > 0) return { ...noDecision(known), ask: [...new Set(ask)] };
  if (base && isSwapped(base, answer, known))
    return {
      ...noDecision(known),
      swapped: true,
      known: withoutSwapped(known, base.login, answer),
    };
  if (base && isUndecided(base, answer, known)) return { ...noDecision(known), later: true };
  if (base && isChanged(base, answer, situation)) {
    const changed = [makeVerdict(host, base.login, 'changed', situation)];
    return { ...noDecision(known), known: withVerdicts(known, own ? [own] : [], changed) };
  }
  const isAsked = isUnanswered(answer) && named === undefined;
  const dead = base && answers.get(base.holder) === 'refused';
  const judged = candidates.map((one) => {
    const reason = rejectionReason(one, { account, isAsked }, situation);
    return {
      ...one,
      reason: reason ?? (one.expiresLater || dead ? undefined : apartOrLater(base, situation)),
    };
  });
  const best = bestOf(
    judged.filter(({ reason }) => reason === undefined),
    base,
  );
  // Expires earlier than the user's and is useless: it is replaced without a notice.
  const isGone = ({ expiresLater, reason }: (typeof judged)[number]) =>
    !expiresLater && reason === 'refused';
  const verdicts = judged.flatMap((one) => {
    const { holder, login, reason } = one;
    return reason && reason !== 'later' && !isGone(one)
      ? [makeVerdict(holder, login, reason, situation)]
      : [];
  });
  const mixed = sessions.flatMap(({ holder, login }) =>
    login && loginStatus(login, seen) === 'mixed'
      ? [makeVerdict(holder, login, 'mixed', situation)]
      : [],
  );
  const later = judged.some(({ reason }) => reason === 'later');
  if (!best) return { ...noDecision(known), later, known: withVerdicts(known, copies, verdicts) };
  const kept = new Set(judged.flatMap((one) => (one.reason && !isGone(one) ? [one.holder] : [])));
  for (const { holder, login } of sessions) if (login && isOwnKey(login, seen)) kept.add(holder);
  const decision: Decision = {
    ask: [],
    winner: best.login,
    from: best.holder,
    recipients: copies
      .filter(({ holder, login }) => !kept.has(holder) && !isSame(login, best.login))
      .map(({ holder }) => holder),
    swapped: false,
    later,
    known,
  };
  // The account of the host's login is still unknown: it must count as new, so that it is asked about again.
  if (isAsked && best.holder === host)
    return { ...decision, later: true, known: withGiven(known, hashesOf(best.login)) };
  const tokens = copies.flatMap(({ holder, login }) =>
    login && !kept.has(holder) && loginStatus(login, seen) !== 'mixed' ? hashesOf(login) : [],
  );
  return {
    ...decision,
    known: withVerdicts(
      {
        ...withTokens(known, [...tokens, ...hashesOf(best.login)]),
        current: hashOf(best.login),
        account,
        name: best.login.name ?? (account === known.account ? known.name : undefined),
        from: fromOf(best, answer, known),
      },
      copies,
      [...verdicts, ...mixed],
    ),
  };
}

/** The login that expires last; only among the accepted ones if the provider refused the user's. */
function bestOf(taken: readonly Candidate[], base: HeldLogin | undefined): HeldLogin | undefined {
  const latest = (all: readonly HeldLogin[], first: HeldLogin | undefined) =>
    all.reduce<HeldLogin | undefined>(
      (a, b) => (a && a.login.expiresMs >= b.login.expiresMs ? a : b),
      first,
    );
  // One that expires earlier is among them only if the user's was refused.
  return latest(taken, taken.some(({ expiresLater }) => !expiresLater) ? undefined : base);
}

/** Origin of the login: a session, until a renewal on the host shows its account. */
function fromOf(
  best: HeldLogin,
  answer: Answer | undefined,
  known: KnownTokens,
): string | undefined {
  if (best.holder !== host) return best.holder;
  if (hashOf(best.login) === known.current) return known.from;
  return isFromSession(known) && !isIdentity(answer) ? known.from : host;
}

/** The shared login before sessions are considered: the host's, unless it is an outdated shared one. */
function baseOf(
  own: LoginCopy | undefined,
  current: LoginCopy | undefined,
  known: KnownTokens,
): HeldLogin | undefined {
  const login = own?.login;
  if (!login)
    return own?.blank && current?.login ? { ...current, login: current.login } : undefined;
  if (loginStatus(login, known) === 'old' && current?.login)
    return { holder: current.holder, login: current.login };
  return { holder: host, login };
}

/**
 * Whether a login is new. One that expires earlier than the user's counts only if it is informative or has a verdict.
 */
function isCandidate(
  { holder, login }: HeldLogin,
  base: HeldLogin | undefined,
  seen: KnownTokens,
  situation: Situation,
): boolean {
  if (loginStatus(login, seen) !== 'new') return false;
  if (!base || isLater(login, base)) return true;
  const before = earlierVerdict(holder, login, situation.known);
  return isInformative(login, situation) || (before !== undefined && before.reason !== 'refused');
}

/**
 * Whether it expires later than the user's, or belongs to another account (by its files) and so stays in its session.
 */
function isLater(login: Login, base: HeldLogin): boolean {
  const isForeign =
    login.account !== undefined &&
    base.login.account !== undefined &&
    !sameAccount(login.account, base.login.account);
  return isForeign || login.expiresMs > base.login.expiresMs;
}

/** A valid login of the user that expires earlier, as after a new login or with a clock that was set back. */
function apartOrLater(base: HeldLogin | undefined, { answers }: Situation): 'apart' | 'later' {
  const answer = base && answers.get(base.holder);
  return isUnanswered(answer) ? 'later' : 'apart';
}

/** Asks about the user's login if a session has a new one that expires earlier: the user's may be invalid by now. */
function baseQuestion(
  { answers, known }: Situation,
  base: HeldLogin | undefined,
  candidates: readonly Candidate[],
): HeldLogin[] {
  const earlierCandidate = candidates.some(
    ({ holder, login, expiresLater }) => !expiresLater && !earlierVerdict(holder, login, known),
  );
  return base && earlierCandidate && base.login.refresh !== '' && !answers.has(base.holder)
    ? [base]
    : [];
}

/** Asks about a new host login if no file names its account, or if the last one came from a session. */
function hostQuestion(
  { answers, known }: Situation,
  base: HeldLogin | undefined,
  account: string | undefined,
): HeldLogin[] {
  if (!base || base.login.refresh === '' || answers.has(host)) return [];
  return isRenewed(base, known) && (isFromSession(known) || account === undefined) ? [base] : [];
}

/** Without a host login, a session's is offered by the name from its provider; nobody gets it without confirmation. */
function withoutHost(situation: Situation, sessions: readonly LoginCopy[]): Decision {
  const { answers, known } = situation;
  const fresh = sessions.flatMap(({ holder, login }) =>
    login?.refresh && hasPlausibleExpiry(login, situation) && loginStatus(login, known) === 'new'
      ? [{ holder, login }]
      : [],
  );
  const ask = fresh.filter(
    ({ holder, login }) => !answers.has(holder) && !earlierVerdict(holder, login, known),
  );
  if (ask.length > 0) return { ...noDecision(known), ask: ask.map(({ holder }) => holder) };
  const verdicts = fresh.map(({ holder, login }) => {
    const refused = answers.get(holder) === 'refused';
    const reason =
      earlierVerdict(holder, login, known)?.reason ?? (refused ? 'refused' : 'offered');
    return makeVerdict(holder, login, reason, situation);
  });
  return {
    ...noDecision(known),
    known: withVerdicts({ ...known, current: undefined }, sessions, verdicts),
  };
}

/** A key that was entered in the session. */
function isOwnKey(login: Login, seen: KnownTokens): boolean {
  return login.refresh === '' && loginStatus(login, seen) === 'new';
}

function withoutSwapped(known: KnownTokens, login: Login, answer: Answer | undefined): KnownTokens {
  const { from: session = host } = known;
  const name = isIdentity(answer) ? answer.name : undefined;
  const swapped: Verdict = { session, hash: hashOf(login), reason: 'swapped', name, told: false };
  return {
    ...withTokens(known, hashesOf(login)),
    current: undefined,
    from: undefined,
    verdicts: [...known.verdicts, swapped],
  };
}

/** The decision to do nothing. */
export function noDecision(known: KnownTokens): Decision {
  return {
    ask: [],
    winner: undefined,
    from: undefined,
    recipients: [],
    swapped: false,
    later: false,
    known,
  };
}

function isSame(login: Login | undefined, other: Login): boolean {
  return login !== undefined && hashOf(login) === hashOf(other);
}
