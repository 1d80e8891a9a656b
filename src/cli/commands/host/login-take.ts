// `coi login take`: makes the login of a session the user's.
import { findLoginSession, readLogins } from '../../../app/logins/find.ts';
import { loginSyncContext } from '../../../app/logins/login-sync.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { loadMemory, readHostLogins } from '../../../logins/copies.ts';
import { host } from '../../../logins/decide.ts';
import { sameAccount } from '../../../logins/formats/login.ts';
import { hashOf, loginStatus } from '../../../logins/login-status.ts';
import { nothingKnown } from '../../../logins/memory.ts';
import { runLoginSync } from '../../../logins/sync.ts';
import type { App } from '../../app.ts';
import { sessionTarget } from '../../requests.ts';
import type { TakeOptions } from './login-take-host.ts';
import { confirmTake, takeHostLogins } from './login-take-host.ts';

export async function takeLogin(app: App, options: TakeOptions, word: string): Promise<void> {
  if (word === host && (await takeHostLogins(app, options))) return;
  const { session, file } = await findLoginSession(app, sessionTarget(options), word);
  const { home, uid, gid } = app.user;
  const own = readHostLogins(file, home, hostFiles);
  const memory = loadMemory(file, home, hostFiles);
  const theirs = readLogins(app, file, session).filter((login) => {
    const before = own.logins.get(login.id);
    return login.refresh !== '' && (!before || hashOf(before) !== hashOf(login));
  });
  if (theirs.length === 0)
    throw new CoiError('failed', `session ${session} has no login other than yours`, {
      hint: 'Run `coi login list` to see the logins.',
    });
  const keeping = await loginSyncContext(app);
  for (const login of theirs) {
    const known = memory.get(login.id) ?? nothingKnown;
    const state = loginStatus(login, known);
    if (state === 'mixed' || state === 'old')
      throw new CoiError(
        'failed',
        state === 'old'
          ? `the login of session ${session} is outdated: a newer one replaced it`
          : `the tokens of session ${session} do not belong together`,
      );
    const question = file.question(login);
    const answer = question ? await keeping.ask(question) : 'no-question';
    if (
      typeof answer === 'object' &&
      login.account !== undefined &&
      !sameAccount(answer.account, login.account)
    )
      throw new CoiError(
        'failed',
        `session ${session} claims to be logged in as ${login.name ?? 'one account'}, but the provider reports ${answer.name ?? 'another'}`,
      );
    if (answer === 'refused')
      app.io.warn(
        'the provider rejected the access token; the token or the whole login may have expired',
      );
    const before = own.logins.get(login.id);
    const name = (typeof answer === 'object' ? answer.name : login.name) ?? 'an unknown account';
    app.io.info(`${file.tool} (${login.id})`);
    app.io.info(`  yours:   ${before ? (before.name ?? 'an unknown account') : 'none'}`);
    app.io.info(
      `  session: ${name}${typeof answer === 'object' ? '' : ' (not confirmed by the provider)'}`,
    );
    if (!(await confirmTake(app, options, 'Use it on the host and in all sessions?'))) continue;
    const kept = await runLoginSync(
      {
        file,
        home,
        owner: { uid, gid },
        live: [],
        ended: [session],
        confirmed: { session, login },
      },
      keeping,
    );
    if (kept === 'changed')
      throw new CoiError(
        'failed',
        `the login of session ${session} changed in the meantime; nothing was replaced`,
        {
          hint: 'Run `coi login take` again.',
        },
      );
    if (kept === 'broken')
      throw new CoiError(
        'failed',
        `${home}/${file.path} is not a JSON object; nothing was replaced`,
      );
    if (kept === 'busy')
      throw new CoiError('failed', `${home}/${file.path} is in use by another program of yours`);
    // coid notices the change of the user's file and copies it to the running sessions.
    app.io.info(`Done: your login for ${file.tool} is now ${name}`);
  }
}
