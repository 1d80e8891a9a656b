// Other projects of Incus that use what setup made.
import { CoiError } from '../../errors.ts';
import type { Elsewhere } from '../../setup/remove/elsewhere.ts';
import { someOf } from '../../setup/remove/words.ts';

/** coi reaches nothing in other projects: whose those things are says what becomes of them. */
export function refuseElsewhere({ sessions, users }: Elsewhere, force: boolean): void {
  const [session] = sessions;
  if (session) {
    const names = sessions.map(({ name, project }) => `${name} (project ${project})`);
    throw new CoiError('session-live', `sessions in other projects of Incus: ${someOf(names)}`, {
      hint: `Move them back or delete them, for example: incus delete --force --project ${session.project} ${session.name}`,
    });
  }
  if (users.length === 0 || force) return;
  const who = users.map((one) => `${one.who} uses ${one.uses.join(' and ')}`);
  throw new CoiError(
    'setup-failed',
    `other projects of Incus use what setup made: ${someOf(who)}`,
    {
      hint: 'Move them off it or delete them (`incus --project NAME`), then run this again; or take away all but what they use: coi setup --remove --force',
    },
  );
}
