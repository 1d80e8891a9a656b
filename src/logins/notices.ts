// What the user is told of logins in sessions that were not taken for all, until it was seen in `coi login list`. Pure.
import type { LoginMemory, Reason, Verdict } from './memory.ts';

/** One sentence for each session whose login the user may want, or may have to look at. */
export function loginNotices(tool: { readonly title: string }, memory: LoginMemory): string[] {
  return [...memory.values()].flatMap(({ verdicts }) =>
    verdicts
      .filter(({ told, reason }) => !told && reason !== 'refused')
      .map((verdict) => notice(tool.title, verdict)),
  );
}

function notice(title: string, { session, reason, name }: Verdict): string {
  const who = name === undefined ? '' : ` as ${name}`;
  switch (reason) {
    case 'offered':
      return `session ${session} is logged in to ${title}${who}; use it for all sessions: coi login take ${session}`;
    case 'other':
      return `session ${session} is logged in to ${title}${who}, another account than yours; it stays the session's own (coi login list)`;
    case 'mixed':
      return `session ${session} tried to bring a login to ${title} whose parts do not belong together; it was not taken`;
    case 'swapped':
      return `the login to ${title} that session ${session} had brought belonged to another account${who} and was taken away: log in again`;
    case 'apart':
      return `session ${session} has a login to ${title}${who} of its own; to use it for all sessions: coi login take ${session}`;
    case 'changed':
      return `your login to ${title} belongs to another account now${who}, and a session had brought the one before; sessions do not get it: log in again, or, if it is right: coi login take ${session}`;
    default:
      return `session ${session} has a login to ${title}${who} that could not be checked; to use it: coi login take ${session}`;
  }
}

/** As a word in a list. */
export const reasonWords: Readonly<Record<Reason, string>> = {
  other: 'another account',
  refused: 'refused by the provider',
  mixed: 'not a pair',
  apart: 'a login of its own',
  changed: 'another account than before',
  unknown: 'not checked',
  swapped: 'brought a foreign login',
  offered: 'offered',
};

/** With all verdicts marked as seen. */
export function markAllSeen(memory: LoginMemory): LoginMemory {
  return new Map(
    [...memory].map(([id, known]) => [
      id,
      { ...known, verdicts: known.verdicts.map((one) => ({ ...one, told: true })) },
    ]),
  );
}
