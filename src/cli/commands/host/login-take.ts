// coi login take: a session's login becomes the user's.
import { loginsOf, sessionOf } from '../../../app/logins/find.ts';
import { keepingOf } from '../../../app/logins/keeping.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { hostLogins, memoryOf } from '../../../logins/copies.ts';
import { host } from '../../../logins/decide.ts';
import { sameAccount } from '../../../logins/formats/login.ts';
import { keepLogins } from '../../../logins/keep.ts';
import { nothingKnown } from '../../../logins/memory.ts';
import { hashOf, standing } from '../../../logins/standing.ts';
import type { App } from '../../app.ts';
import { sessionTarget } from '../../requests.ts';
import type { TakeOptions } from './login-take-host.ts';
import { confirmed, takeHosts } from './login-take-host.ts';

export async function takeLogin(app: App, options: TakeOptions, word: string): Promise<void> {
  if (word === host && (await takeHosts(app, options))) return;
  const { session, file } = await sessionOf(app, sessionTarget(options), word);
  const { home, uid, gid } = app.user;
  const own = hostLogins(file, home, hostFiles);
  const memory = memoryOf(file, home, hostFiles);
  const theirs = loginsOf(app, file, session).filter((login) => {
    const before = own.logins.get(login.id);
    return login.refresh !== '' && (!before || hashOf(before) !== hashOf(login));
  });
  if (theirs.length === 0)
    throw new CoiError('failed', `session ${session} has no other login than yours`, {
      hint: 'Run `coi login list` to see the logins.',
    });
  const keeping = await keepingOf(app);
  for (const login of theirs) {
    const known = memory.get(login.id) ?? nothingKnown;
    const state = standing(login, known);
    if (state === 'mixed' || state === 'old')
      throw new CoiError(
        'failed',
        state === 'old'
          ? `the login of session ${session} was replaced by a newer one long ago`
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
        `session ${session} says that its login belongs to ${login.name ?? 'one account'}, and the provider says ${answer.name ?? 'another'}`,
      );
    if (answer === 'refused')
      app.io.warn(
        'the provider does not accept its access token; it may have ended, or the login with it',
      );
    const before = own.logins.get(login.id);
    const name = (typeof answer === 'object' ? answer.name : login.name) ?? 'an unknown account';
    app.io.tell(`${file.tool} (${login.id})`);
    app.io.tell(`  yours:   ${before ? (before.name ?? 'an unknown account') : 'none'}`);
    app.io.tell(
      `  session: ${name}${typeof answer === 'object' ? '' : ' (not confirmed by the provider)'}`,
    );
    if (!(await confirmed(app, options, 'Use it on the host and in all sessions?'))) continue;
    const kept = await keepLogins(
      {
        file,
        home,
        owner: { uid, gid },
        live: [],
        ended: [session],
        wanted: { session, login },
      },
      keeping,
    );
    if (kept === 'changed')
      throw new CoiError(
        'failed',
        `session ${session} has another login by now; nothing was taken`,
        {
          hint: 'Look at it again: coi login take.',
        },
      );
    if (kept === 'broken')
      throw new CoiError('failed', `${home}/${file.path} is no JSON object; nothing was taken`);
    if (kept === 'busy')
      throw new CoiError('failed', `${home}/${file.path} is held by a program of yours`);
    // coid sees that the user's file has changed, and gives it to the sessions that run.
    app.io.tell(`Taken: ${name} is your login for ${file.tool} now`);
  }
}
