// Notices about session logins that are not shared, until the user has seen them in `coi login list`. Pure.
import type { LoginMemory, Reason, Verdict } from './memory.ts';

/** One sentence for each session whose login the user may want to use or check. */
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
      return `session ${session} is logged in to ${title}${who}, which is not your account; the login stays in that session (coi login list)`;
    case 'mixed':
      return `session ${session} has a login to ${title} whose tokens do not match; it is not used`;
    case 'swapped':
      return `the login to ${title} from session ${session} belonged to another account${who} and was removed: log in again`;
    case 'apart':
      return `session ${session} has its own login to ${title}${who}; to use it for all sessions: coi login take ${session}`;
    case 'changed':
      return `your login to ${title} now belongs to another account${who} than the previous one, which came from a session; sessions do not get it: log in again, or, if it is correct: coi login take ${session}`;
    default:
      return `session ${session} has a login to ${title}${who} that could not be checked; to use it: coi login take ${session}`;
  }
}

/** For a table column. */
export const reasonWords: Readonly<Record<Reason, string>> = {
  other: 'another account',
  refused: 'refused by the provider',
  mixed: 'tokens do not match',
  apart: 'its own login',
  changed: 'another account than before',
  unknown: 'not checked',
  swapped: "another account's, removed",
  offered: 'offered',
};

/** Marks all verdicts as seen. */
export function markAllSeen(memory: LoginMemory): LoginMemory {
  return new Map(
    [...memory].map(([id, known]) => [
      id,
      { ...known, verdicts: known.verdicts.map((one) => ({ ...one, told: true })) },
    ]),
  );
}
