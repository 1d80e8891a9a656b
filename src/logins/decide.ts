// Which of the copies of one login is everybody's, who gets it, and which are not taken. Pure.
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
  reasonAgainst,
  type Situation,
  withVerdicts,
} from './judge.ts';
import { hashesOf, hashOf, knownInSessions, loginStatus } from './login-status.ts';
import { type KnownTokens, type Verdict, withGiven, withTokens } from './memory.ts';

export { host } from './host-renewal.ts';
export type { Answer, LoginCopy as Copy, Situation } from './judge.ts';

interface Candidate extends HeldLogin {
  /** It ends later than the user's. */
  readonly isLate: boolean;
}

export interface Decision {
  /** Holders whose access token the provider has to be asked about before anything is done. */
  readonly ask: readonly string[];
  /** What everybody has from now on; undefined if nothing can be. */
  readonly winner: Login | undefined;
  readonly from: string | undefined;
  readonly give: readonly string[];
  /** The host's belongs to somebody else than its files say: it came from a session, and goes. */
  readonly swapped: boolean;
  /** A login could not be judged now. */
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
  // Never what a session's files say.
  const named = own?.login?.account ?? situation.hostAccount ?? known.account;
  const account = named ?? (isIdentity(answer) ? answer.account : undefined);
  const seen = knownInSessions(known, base?.login);
  const challengers = sessions.flatMap(({ holder, login }) =>
    login && login.refresh !== '' && isCandidate({ holder, login }, base, seen, situation)
      ? [{ holder, login, isLate: !base || isLater(login, base) }]
      : [],
  );
  const open = challengers.filter((one) => needsQuestion(one, situation));
  const ask = [
    ...hostQuestion(situation, base, challengers.length > 0 ? account : named),
    ...baseQuestion(situation, base, challengers),
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
  const judged = challengers.map((one) => {
    const reason = reasonAgainst(one, { account, isAsked }, situation);
    return {
      ...one,
      reason: reason ?? (one.isLate || dead ? undefined : apartOrLater(base, situation)),
    };
  });
  const best = bestOf(
    judged.filter(({ reason }) => reason === undefined),
    base,
  );
  // Sooner than the user's and of no use: it is replaced, and nobody has to be told.
  const isGone = ({ isLate, reason }: (typeof judged)[number]) => !isLate && reason === 'refused';
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
    give: copies
      .filter(({ holder, login }) => !kept.has(holder) && !isSame(login, best.login))
      .map(({ holder }) => holder),
    swapped: false,
    later,
    known,
  };
  // Whose the host's is was not said: it is asked about again, so it stays one that was never seen.
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

/** The one that ends last; of those that the provider took, where it refused the user's. */
function bestOf(taken: readonly Candidate[], base: HeldLogin | undefined): HeldLogin | undefined {
  const latest = (all: readonly HeldLogin[], first: HeldLogin | undefined) =>
    all.reduce<HeldLogin | undefined>(
      (a, b) => (a && a.login.expiresMs >= b.login.expiresMs ? a : b),
      first,
    );
  // A sooner one is among them only where the user's is refused.
  return latest(taken, taken.some(({ isLate }) => !isLate) ? undefined : base);
}

/** Who brought it: a session, until a renewal of the host's has shown whose it is. */
function fromOf(
  best: HeldLogin,
  answer: Answer | undefined,
  known: KnownTokens,
): string | undefined {
  if (best.holder !== host) return best.holder;
  if (hashOf(best.login) === known.current) return known.from;
  return isFromSession(known) && !isIdentity(answer) ? known.from : host;
}

/** What is everybody's before the sessions' are looked at: the host's, unless it is one that everybody had before. */
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

/** Never seen. One that ends sooner than the user's is one only while it can show something, or was judged before. */
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

/** It ends later than the user's, or is of another account, by what the files say: then it is the session's own affair. */
function isLater(login: Login, base: HeldLogin): boolean {
  const isForeign =
    login.account !== undefined &&
    base.login.account !== undefined &&
    !sameAccount(login.account, base.login.account);
  return isForeign || login.expiresMs > base.login.expiresMs;
}

/** A good login of the user's that ends sooner, as after a new login or with a clock that was set back. */
function apartOrLater(base: HeldLogin | undefined, { answers }: Situation): 'apart' | 'later' {
  const answer = base && answers.get(base.holder);
  return isUnanswered(answer) ? 'later' : 'apart';
}

/** The user's is asked about where a session has one that ends sooner: it may be of no use any more. */
function baseQuestion(
  { answers, known }: Situation,
  base: HeldLogin | undefined,
  challengers: readonly Candidate[],
): HeldLogin[] {
  const sooner = challengers.some(
    ({ holder, login, isLate }) => !isLate && !earlierVerdict(holder, login, known),
  );
  return base && sooner && base.login.refresh !== '' && !answers.has(base.holder) ? [base] : [];
}

/** The provider is asked about the host's where no file names its account, or a session brought the last one. */
function hostQuestion(
  { answers, known }: Situation,
  base: HeldLogin | undefined,
  account: string | undefined,
): HeldLogin[] {
  if (!base || base.login.refresh === '' || answers.has(host)) return [];
  return isRenewed(base, known) && (isFromSession(known) || account === undefined) ? [base] : [];
}

/** A login in a session is offered, by the name that its provider has for it; nobody else gets it unasked. */
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

/** A key that was typed in inside. */
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

/** What is decided where nothing is to be done. */
export function noDecision(known: KnownTokens): Decision {
  return {
    ask: [],
    winner: undefined,
    from: undefined,
    give: [],
    swapped: false,
    later: false,
    known,
  };
}

function isSame(login: Login | undefined, other: Login): boolean {
  return login !== undefined && hashOf(login) === hashOf(other);
}
