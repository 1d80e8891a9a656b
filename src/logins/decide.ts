// Which of the copies of one login is everybody's, who gets it, and which are not taken. Pure.
import type { Identity, Login } from './login.ts';
import { type Known, type Reason, type Verdict, withTokens } from './memory.ts';
import { hashesOf, hashOf, standing } from './standing.ts';

export const host = 'host';

/** One login as the host or a session has it. */
export interface Copy {
  /** `host`, or the id of the session. */
  readonly holder: string;
  /** Undefined if it is missing or of no use. */
  readonly login: Login | undefined;
  /** It was there, and was emptied: as a tool leaves one that its provider refused. */
  readonly blank: boolean;
}

/** What a provider said of an access token. */
export type Answer = Identity | 'refused' | 'unreachable' | 'no-question';

export interface Situation {
  readonly copies: readonly Copy[];
  /** Whom the host's files name, where they hold no login that does. */
  readonly hostAccount: string | undefined;
  readonly known: Known;
  /** By holder; those that are not there have not been asked. */
  readonly answers: ReadonlyMap<string, Answer>;
  readonly nowMs: number;
  /** What ends later than that after now says what no provider would. */
  readonly lifeMaxMs: number;
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
  readonly known: Known;
}

export function decide(situation: Situation): Decision {
  const { copies, known } = situation;
  const own = copies.find(({ holder }) => holder === host);
  const sessions = copies.filter(({ holder }) => holder !== host);
  const current = sessions.find(({ login }) => login && standing(login, known) === 'current');
  const base = baseOf(own, current, known);
  if (!base && !own?.blank) return withoutHost(situation, sessions);
  const answer = situation.answers.get(host);
  // Never what a session's files say.
  const named = own?.login?.account ?? situation.hostAccount ?? known.account;
  const account = named ?? (isIdentity(answer) ? answer.account : undefined);
  // What the host has is nobody's secret any more, also where it was never looked at before.
  const seen = base ? withTokens(known, hashesOf(base.login)) : known;
  const challengers = sessions.flatMap(({ holder, login }) =>
    login && login.refresh !== '' && isChallenger(login, base, seen) ? [{ holder, login }] : [],
  );
  const ask = [
    ...hostQuestion(situation, base, challengers.length > 0 ? account : named),
    ...challengers.filter(({ holder, login }) => isOpen(holder, login, situation)),
  ].map(({ holder }) => holder);
  if (ask.length > 0) return { ...nothing(known), ask };
  if (base && isSwapped(base, answer, known))
    return { ...nothing(known), swapped: true, known: forgotten(known, base.login, answer) };
  const judged = challengers.map((one) => ({
    ...one,
    reason: reasonAgainst(one, account, situation),
  }));
  const best = judged
    .filter(({ reason }) => reason === undefined)
    .reduce<Held | undefined>(
      (a, b) => (a && a.login.expiresMs >= b.login.expiresMs ? a : b),
      base,
    );
  const verdicts = judged.flatMap(({ holder, login, reason }) =>
    reason && reason !== 'later' ? [verdict(holder, login, reason, situation)] : [],
  );
  const mixed = sessions.flatMap(({ holder, login }) =>
    login && standing(login, seen) === 'mixed' ? [verdict(holder, login, 'mixed', situation)] : [],
  );
  const later = judged.some(({ reason }) => reason === 'later');
  if (!best) return { ...nothing(known), later, known: withVerdicts(known, copies, verdicts) };
  const kept = new Set(judged.flatMap(({ holder, reason }) => (reason ? [holder] : [])));
  for (const { holder, login } of sessions) if (login && isOwnKey(login, seen)) kept.add(holder);
  return {
    ask: [],
    winner: best.login,
    from: best.holder,
    give: copies
      .filter(({ holder, login }) => !kept.has(holder) && !isSame(login, best.login))
      .map(({ holder }) => holder),
    swapped: false,
    later,
    known: withVerdicts(
      {
        ...withTokens(known, [
          ...copies.flatMap(({ holder, login }) =>
            login && !kept.has(holder) && standing(login, seen) !== 'mixed' ? hashesOf(login) : [],
          ),
          ...hashesOf(best.login),
        ]),
        current: hashOf(best.login),
        account,
        name: best.login.name ?? (account === known.account ? known.name : undefined),
        from:
          best.holder === host && hashOf(best.login) === known.current ? known.from : best.holder,
      },
      copies,
      [...verdicts, ...mixed],
    ),
  };
}

interface Held {
  readonly holder: string;
  readonly login: Login;
}

/** What is everybody's before the sessions' are looked at: the host's, unless it is one that everybody had before. */
function baseOf(own: Copy | undefined, current: Copy | undefined, known: Known): Held | undefined {
  const login = own?.login;
  if (!login)
    return own?.blank && current?.login ? { ...current, login: current.login } : undefined;
  if (standing(login, known) === 'old' && current?.login)
    return { holder: current.holder, login: current.login };
  return { holder: host, login };
}

/** Never seen, and not older than what everybody has. */
function isChallenger(login: Login, base: Held | undefined, known: Known): boolean {
  if (standing(login, known) !== 'new') return false;
  return !base || isForeign(login, base) || login.expiresMs > base.login.expiresMs;
}

/** Of another account, by what the files say: it is the session's own affair, however old. */
function isForeign(login: Login, base: Held): boolean {
  return (
    login.account !== undefined &&
    base.login.account !== undefined &&
    login.account !== base.login.account
  );
}

/** The provider is asked about the host's where no file names its account, or a session brought the last one. */
function hostQuestion(
  { answers, known }: Situation,
  base: Held | undefined,
  account: string | undefined,
): Held[] {
  if (base?.holder !== host || base.login.refresh === '' || answers.has(host)) return [];
  const brought = known.from !== undefined && known.from !== host;
  const renewed = standing(base.login, known) === 'new';
  return (renewed && brought) || (account === undefined && renewed) ? [base] : [];
}

function isSwapped(base: Held, answer: Answer | undefined, known: Known): boolean {
  const { account } = base.login;
  return (
    base.holder === host &&
    standing(base.login, known) === 'new' &&
    known.from !== undefined &&
    known.from !== host &&
    account !== undefined &&
    account === known.account &&
    isIdentity(answer) &&
    person(answer.account) !== person(account)
  );
}

/** Not judged before, and its token can show something. */
function isOpen(holder: string, login: Login, situation: Situation): boolean {
  const { answers, known } = situation;
  const before = earlier(holder, login, known)?.reason;
  const wanted = !before || before === 'offered';
  return !answers.has(holder) && isTimely(login, situation) && wanted;
}

/** It has not ended, and says no more than a provider would: everything later would count as older. */
function isTimely({ expiresMs }: Login, { nowMs, lifeMaxMs }: Situation): boolean {
  return expiresMs > nowMs && expiresMs <= nowMs + lifeMaxMs;
}

function earlier(holder: string, login: Login, known: Known): Verdict | undefined {
  const hash = hashOf(login);
  return known.verdicts.find((one) => one.session === holder && one.hash === hash);
}

function reasonAgainst(
  { holder, login }: Held,
  account: string | undefined,
  situation: Situation,
): Reason | 'later' | undefined {
  const { answers, known } = situation;
  const before = earlier(holder, login, known);
  if (before && before.reason !== 'offered') return before.reason;
  const answer = answers.get(holder);
  if (isIdentity(answer) && isTimely(login, situation)) {
    if (account === undefined) return 'unknown';
    return answer.account === account ? undefined : 'other';
  }
  if (login.account !== undefined && account !== undefined && login.account !== account)
    return 'other';
  // An access token that has ended shows nothing, whatever is beside it.
  if (answer === 'refused' || !isTimely(login, situation)) return 'refused';
  // Where no file names an account, nothing speaks against it.
  if (answer === 'unreachable') return login.account === account ? undefined : 'later';
  return 'unknown';
}

/** A login in a session is offered, by the name that its provider has for it; nobody else gets it unasked. */
function withoutHost(situation: Situation, sessions: readonly Copy[]): Decision {
  const { answers, known } = situation;
  const fresh = sessions.flatMap(({ holder, login }) =>
    login?.refresh && isTimely(login, situation) && standing(login, known) === 'new'
      ? [{ holder, login }]
      : [],
  );
  const ask = fresh.filter(
    ({ holder, login }) => !answers.has(holder) && !earlier(holder, login, known),
  );
  if (ask.length > 0) return { ...nothing(known), ask: ask.map(({ holder }) => holder) };
  const verdicts = fresh.map(({ holder, login }) => {
    const refused = answers.get(holder) === 'refused';
    const reason = earlier(holder, login, known)?.reason ?? (refused ? 'refused' : 'offered');
    return verdict(holder, login, reason, situation);
  });
  return {
    ...nothing(known),
    known: withVerdicts({ ...known, current: undefined }, sessions, verdicts),
  };
}

function verdict(
  session: string,
  login: Login,
  reason: Reason,
  { answers, known }: Situation,
): Verdict {
  const answer = answers.get(session);
  const before = earlier(session, login, known);
  const name = isIdentity(answer) ? answer.name : (before?.name ?? login.name);
  return { session, hash: hashOf(login), reason, name, told: before?.told ?? false };
}

/** One verdict for a session: the latest, as long as the session has what was judged. */
function withVerdicts(known: Known, copies: readonly Copy[], fresh: readonly Verdict[]): Known {
  const seen = new Set(copies.map(({ holder }) => holder));
  const stays = ({ session, reason, told }: Verdict) =>
    reason === 'swapped' ? !told : !seen.has(session);
  return { ...known, verdicts: [...known.verdicts.filter(stays), ...fresh] };
}

/** A key that was typed in inside. */
function isOwnKey(login: Login, seen: Known): boolean {
  return login.refresh === '' && standing(login, seen) === 'new';
}

function forgotten(known: Known, login: Login, answer: Answer | undefined): Known {
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

function nothing(known: Known): Decision {
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

function isIdentity(answer: Answer | undefined): answer is Identity {
  return typeof answer === 'object';
}

function isSame(login: Login | undefined, other: Login): boolean {
  return login !== undefined && hashOf(login) === hashOf(other);
}

/** The account without its organization, as of one person. */
function person(account: string): string {
  return account.split(' ')[0] ?? '';
}
