// `coi login take host`: shares the user's own login with all sessions after it changed.
import { loginSyncContext } from '../../../app/logins/login-sync.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { loadMemory, readHostLogins } from '../../../logins/copies.ts';
import { host } from '../../../logins/decide.ts';
import { loginFiles } from '../../../logins/formats/list.ts';
import { earlierVerdict } from '../../../logins/judge.ts';
import { nothingKnown } from '../../../logins/memory.ts';
import { runLoginSync } from '../../../logins/sync.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';

/** Shares each login of the host whose account differs from the one that a session brought before. */
export async function takeHostLogins(app: App, options: TakeOptions): Promise<boolean> {
  const { home, uid, gid } = app.user;
  const changed = loginFiles.flatMap((file) => {
    const memory = loadMemory(file, home, hostFiles);
    return [...readHostLogins(file, home, hostFiles).logins.values()].flatMap((login) =>
      earlierVerdict(host, login, memory.get(login.id) ?? nothingKnown) ? [{ file, login }] : [],
    );
  });
  for (const { file, login } of changed) {
    const name = login.name ?? 'an unknown account';
    if (
      !(await confirmTake(
        app,
        options,
        `Use your login for ${file.tool} (${name}) in all sessions?`,
      ))
    )
      continue;
    const request = { file, home, owner: { uid, gid }, live: [], ended: [] };
    const confirmed = { session: host, login };
    const kept = await runLoginSync({ ...request, confirmed }, await loginSyncContext(app));
    if (kept === 'changed') throw new CoiError('failed', 'your login changed in the meantime');
    app.io.info(`Done: new sessions use ${name} for ${file.tool}`);
  }
  return changed.length > 0;
}

export async function confirmTake(
  app: App,
  options: TakeOptions,
  question: string,
): Promise<boolean> {
  if (options.yes) return true;
  if (!app.io.interactive)
    throw new CoiError('usage', 'replacing a login needs confirmation', {
      hint: 'Use --yes.',
    });
  if (await app.io.confirm(question, undefined, 'this login was not changed')) return true;
  app.io.info('Cancelled.');
  return false;
}

export interface TakeOptions extends GlobalOptions {
  yes: boolean;
}
