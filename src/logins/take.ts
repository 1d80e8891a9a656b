// A login of a session that the user wants to be everybody's. Pure.
import { type Copy, type Decision, decide, host, noDecision } from './decide.ts';
import type { Login } from './formats/login.ts';
import { hashesOf, hashOf, loginStatus } from './login-status.ts';
import type { KnownTokens } from './memory.ts';

export interface ConfirmedLogin {
  readonly session: string;
  /** As the user confirmed it: what the session has by now may be another. */
  readonly login: Login;
}

/** Both tokens are those that the user was shown. */
export function isConfirmed(found: Login, wanted: Login): boolean {
  return found.id === wanted.id && hashesOf(found).join() === hashesOf(wanted).join();
}

/** The user's word stands against everything: that one is everybody's now. */
export function decideTake(
  copies: readonly Copy[],
  { session, login: winner }: ConfirmedLogin,
  known: KnownTokens,
): Decision {
  const found = copies.find(({ holder }) => holder === session)?.login;
  if (!found || !isConfirmed(found, winner)) return noDecision(known);
  // What another session has of its own stays its own.
  const all = copies
    .filter(({ holder, login }) => holder === host || !login || loginStatus(login, known) !== 'new')
    .map(({ holder }) => holder);
  return {
    ...noDecision(known),
    winner,
    from: session,
    give: all.filter((holder) => holder !== session),
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
