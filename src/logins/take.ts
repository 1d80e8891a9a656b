// A session's login that the user confirms as the shared one. Pure.
import { type Decision, decide, host, type LoginCopy, noDecision } from './decide.ts';
import type { Login } from './formats/login.ts';
import { hashesOf, hashOf, loginStatus } from './login-status.ts';
import type { KnownTokens } from './memory.ts';

export interface ConfirmedLogin {
  readonly session: string;
  /** As the user confirmed it; the session may have another one by now. */
  readonly login: Login;
}

/** Whether both tokens are the ones that the user was shown. */
export function isConfirmed(found: Login, confirmed: Login): boolean {
  return found.id === confirmed.id && hashesOf(found).join() === hashesOf(confirmed).join();
}

/** The user's confirmation overrides every verdict: that login is shared now. */
export function decideTake(
  copies: readonly LoginCopy[],
  { session, login: winner }: ConfirmedLogin,
  known: KnownTokens,
): Decision {
  const found = copies.find(({ holder }) => holder === session)?.login;
  if (!found || !isConfirmed(found, winner)) return noDecision(known);
  // Other sessions keep their own logins.
  const all = copies
    .filter(({ holder, login }) => holder === host || !login || loginStatus(login, known) !== 'new')
    .map(({ holder }) => holder);
  return {
    ...noDecision(known),
    winner,
    from: session,
    recipients: all.filter((holder) => holder !== session),
    known: knownAfterTake(known, winner, session, [...all, session]),
  };
}

function knownAfterTake(
  known: KnownTokens,
  winner: Login,
  session: string,
  holders: readonly string[],
): KnownTokens {
  const decision = decide({
    copies: [{ holder: host, login: winner, blank: false }],
    hostAccount: undefined,
    known: { ...known, from: undefined, current: undefined },
    answers: new Map([[host, 'unreachable' as const]]),
    nowMs: 0,
    lifeMaxMs: 0,
  });
  const verdicts = known.verdicts.filter(
    (one) => !holders.includes(one.session) && one.hash !== hashOf(winner),
  );
  return { ...decision.known, from: session, verdicts };
}
