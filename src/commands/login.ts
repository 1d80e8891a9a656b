// coi login: which logins the user's agents have, which sessions have others, and how one of those becomes the user's.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { hostLogins, memoryOf, remember, storeLogins } from '../logins/copies.ts';
import { host } from '../logins/decide.ts';
import { earlier } from '../logins/judge.ts';
import { keepLogins } from '../logins/keep.ts';
import { loginFiles } from '../logins/list.ts';
import { type Login, type LoginFile, sameAccount } from '../logins/login.ts';
import { type Memory, nothingKnown } from '../logins/memory.ts';
import { allTold, reasonWords } from '../logins/notices.ts';
import { hashOf, standing } from '../logins/standing.ts';
import { isUuid, quoted } from '../names.ts';
import { table } from '../ui/table.ts';
import type { GlobalOptions } from './command.ts';
import { flagsOf } from './global.ts';
import { keepingOf } from './logins.ts';
import { oneContainer } from './one-container.ts';

interface TakeOptions extends GlobalOptions {
  yes: boolean;
}

export function register(command: Command, app: App): void {
  command.addHelpText(
    'after',
    "\nAll sessions of a user share the logins of the user's own agents: whoever renews one, the others have it a second\nlater. A login that belongs to another account stays in its session until it is taken here.",
  );
  command
    .command('list')
    .description('list the logins, and sessions that have another one')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => list(app, options.json ?? false));
  command
    .command('take')
    .description("make the login of a session the user's, for the host and all sessions")
    .argument(
      '<session>',
      'its id (or the beginning of it), container or alias; `host` for your own, where it changed',
    )
    .option('-y, --yes', 'do not ask')
    .action((word: string, { yes }: { yes?: boolean }) =>
      takeLogin(app, { ...flagsOf<GlobalOptions>(command), yes: yes ?? false }, word),
    );
}

async function list(app: App, json: boolean): Promise<void> {
  const { home, uid, gid } = app.user;
  const found = loginFiles.map((file) => ({
    file,
    own: hostLogins(file, home, hostFiles),
    memory: memoryOf(file, home, hostFiles),
  }));
  const logins = found.flatMap(({ file, own, memory }) =>
    [...own.logins.values()].map((login) => shown(app, file, login, memory)),
  );
  const others = found.flatMap(({ file, memory }) =>
    [...memory].flatMap(([login, { verdicts }]) =>
      verdicts.map(({ session, name, reason }) => ({
        session,
        tool: file.tool,
        login,
        account: name,
        reason,
      })),
    ),
  );
  if (json) app.io.printJson({ logins, sessions: others });
  else print(app, logins, others);
  const untold = found.filter(({ memory }) =>
    [...memory.values()].some(({ verdicts }) => verdicts.some(({ told }) => !told)),
  );
  if (untold.length === 0) return;
  const keeping = await keepingOf(app);
  await keeping.whileAlone(() => {
    for (const { file } of untold) {
      const memory = allTold(memoryOf(file, home, hostFiles));
      remember(file, home, memory, { owner: { uid, gid }, files: hostFiles });
    }
  });
}

function shown(app: App, file: LoginFile, login: Login, memory: Memory) {
  const known = memory.get(login.id);
  const ends = login.refresh !== '' && login.expiresMs < Number.MAX_SAFE_INTEGER;
  return {
    tool: file.tool,
    login: login.id,
    account: login.name ?? known?.name,
    renewable: login.refresh !== '',
    expires_at: ends && login.expiresMs > 0 ? new Date(login.expiresMs).toISOString() : undefined,
    expired: ends && login.expiresMs <= app.clock.now().getTime(),
    from_session: known?.from === 'host' ? undefined : known?.from,
  };
}

function print(
  app: App,
  logins: readonly ReturnType<typeof shown>[],
  others: readonly {
    session: string;
    tool: string;
    account: string | undefined;
    reason: keyof typeof reasonWords;
  }[],
): void {
  const rows = logins.map(({ tool, login, account, renewable, expired, expires_at: end }) => [
    tool,
    login,
    account ?? '-',
    renewable ? `${expired ? 'ended' : 'until'} ${end ?? '-'}` : 'key',
  ]);
  app.io.print(
    rows.length === 0 ? 'No logins' : table(['TOOL', 'LOGIN', 'ACCOUNT', 'TOKEN'], rows).join('\n'),
  );
  if (others.length === 0) return;
  const sessions = others.map(({ session, tool, account, reason }) => [
    session,
    tool,
    account ?? '-',
    reasonWords[reason],
  ]);
  app.io.print(
    [
      '',
      'Sessions with a login of their own:',
      ...table(['SESSION', 'TOOL', 'ACCOUNT', 'WHY'], sessions),
    ].join('\n'),
  );
}

/** What the host has itself, where it is another account's than what a session had brought before: for all sessions. */
async function takeHosts(app: App, options: TakeOptions): Promise<boolean> {
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

async function confirmed(app: App, options: TakeOptions, question: string): Promise<boolean> {
  if (options.yes) return true;
  if (!app.io.interactive)
    throw new CoiError('usage', 'this replaces a login and has to be confirmed', {
      hint: 'Use --yes.',
    });
  if (await app.io.confirm(question, undefined, 'this login was not changed')) return true;
  app.io.tell('Cancelled.');
  return false;
}

async function takeLogin(app: App, options: TakeOptions, word: string): Promise<void> {
  if (word === host && (await takeHosts(app, options))) return;
  const { session, file } = await sessionOf(app, options, word);
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

function loginsOf(app: App, file: LoginFile, session: string): Login[] {
  using store = hostFiles.open(`${app.user.home}/.coi/sessions-${file.tool}/${session}`);
  return store ? [...storeLogins(file, store, hostFiles).logins.values()] : [];
}

async function sessionOf(
  app: App,
  options: GlobalOptions,
  word: string,
): Promise<{ session: string; file: LoginFile }> {
  const stored = /^[0-9a-f]{4,8}(?:-[0-9a-f-]*)?$/.test(word) ? storedOf(app, word) : [];
  if (stored.length > 1)
    throw new CoiError('usage', `${quoted(word)} is the beginning of several sessions`);
  if (stored[0]) return stored[0];
  const { session: record, name } = await oneContainer(app, options, word);
  const file = loginFiles.find(({ tool }) => tool === record?.tool);
  if (!record || !file)
    throw new CoiError('session-not-found', `${name} has no login that coi knows`);
  return { session: record.session, file };
}

function storedOf(app: App, beginning: string): { session: string; file: LoginFile }[] {
  return loginFiles.flatMap((file) => {
    using stores = hostFiles.open(`${app.user.home}/.coi/sessions-${file.tool}`);
    return [...(stores?.entries() ?? [])]
      .filter(({ name }) => isUuid(name) && name.startsWith(beginning))
      .map(({ name }) => ({ session: name, file }));
  });
}
