// coi login take host: the user's own login, where it changed, for all sessions.
import { keepingOf } from '../../../app/logins/keeping.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { hostLogins, memoryOf } from '../../../logins/copies.ts';
import { host } from '../../../logins/decide.ts';
import { loginFiles } from '../../../logins/formats/list.ts';
import { earlier } from '../../../logins/judge.ts';
import { keepLogins } from '../../../logins/keep.ts';
import { nothingKnown } from '../../../logins/memory.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';

/** What the host has itself, where it is another account's than what a session had brought before: for all sessions. */
export async function takeHosts(app: App, options: TakeOptions): Promise<boolean> {
  const { home, uid, gid } = app.user;
  const changed = loginFiles.flatMap((file) => {
    const memory = memoryOf(file, home, hostFiles);
    return [...hostLogins(file, home, hostFiles).logins.values()].flatMap((login) =>
      earlier(host, login, memory.get(login.id) ?? nothingKnown) ? [{ file, login }] : [],
    );
  });
  for (const { file, login } of changed) {
    const name = login.name ?? 'an unknown account';
    if (!(await confirmed(app, options, `Give your login for ${file.tool} (${name}) to all?`)))
      continue;
    const request = { file, home, owner: { uid, gid }, live: [], ended: [] };
    const wanted = { session: host, login };
    const kept = await keepLogins({ ...request, wanted }, await keepingOf(app));
    if (kept === 'changed') throw new CoiError('failed', 'your login has changed meanwhile');
    app.io.tell(`Taken: sessions that start get ${name} for ${file.tool}`);
  }
  return changed.length > 0;
}

export async function confirmed(
  app: App,
  options: TakeOptions,
  question: string,
): Promise<boolean> {
  if (options.yes) return true;
  if (!app.io.interactive)
    throw new CoiError('usage', 'this replaces a login and has to be confirmed', {
      hint: 'Use --yes.',
    });
  if (await app.io.confirm(question, undefined, 'this login was not changed')) return true;
  app.io.tell('Cancelled.');
  return false;
}

export interface TakeOptions extends GlobalOptions {
  yes: boolean;
}
