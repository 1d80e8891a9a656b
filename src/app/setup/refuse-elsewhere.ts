// Refuses `coi setup --remove` while other Incus projects use what setup made.
import { CoiError } from '../../errors.ts';
import { shortList } from '../../setup/remove/format-list.ts';
import type { OtherProjects } from '../../setup/remove/other-projects.ts';

/** coi changes nothing in other projects: that is up to their owners. */
export function refuseElsewhere({ sessions, users }: OtherProjects, force: boolean): void {
  const [session] = sessions;
  if (session) {
    const names = sessions.map(({ name, project }) => `${name} (project ${project})`);
    throw new CoiError('session-live', `sessions in other projects of Incus: ${shortList(names)}`, {
      hint: `Move them back or delete them, for example: incus delete --force --project ${session.project} ${session.name}`,
    });
  }
  if (users.length === 0 || force) return;
  const who = users.map((one) => `${one.who} uses ${one.uses.join(' and ')}`);
  throw new CoiError(
    'setup-failed',
    `other projects of Incus use what setup made: ${shortList(who)}`,
    {
      hint: 'Move them off it or delete them (`incus --project NAME`), then run this again; or remove everything except what they use: coi setup --remove --force',
    },
  );
}
