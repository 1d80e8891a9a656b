// `coi __keep-logins`: coid runs it as the user after a login of the user or of a session changed.
// It reads the sessions to check from stdin, as JSON.
import type { Command } from 'commander';
import { changedSessions, loginSyncContext } from '../../../app/logins/login-sync.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { loginFiles } from '../../../logins/formats/list.ts';
import type { LoginFile } from '../../../logins/formats/login.ts';
import { jsonIn, objectIn } from '../../../logins/formats/login.ts';
import { runLoginSync } from '../../../logins/sync.ts';
import { isUuid } from '../../../names.ts';
import type { App } from '../../app.ts';

interface SessionLogin {
  readonly session: string;
  readonly tool: string;
}

const inputMaxBytes = 2 ** 20;
/** EX_TEMPFAIL of sysexits(3): coid tries again. */
const laterStatus = 75;

export function register(command: Command, app: App): void {
  command.action(async () => keepAll(app, await readInput(app)));
}

async function keepAll(app: App, text: string): Promise<void> {
  const request = jsonIn(text);
  const live = sessionsIn(request?.['live']);
  const ended = sessionsIn(request?.['ended']);
  const keeping = await loginSyncContext(app);
  let all = true;
  for (const file of loginFiles) {
    const of = (sessions: readonly SessionLogin[]) =>
      sessions.filter(({ tool }) => tool === file.tool).map(({ session }) => session);
    const done = await keepOne(app, file, {
      live: of(live),
      ended: [
        ...of(ended),
        ...(request?.['all'] === true ? changedSessions(app, file, of(live)) : []),
      ],
      keeping,
    });
    all &&= done;
  }
  if (!all) throw new ExitStatus(laterStatus);
}

async function keepOne(
  app: App,
  file: LoginFile,
  {
    live,
    ended,
    keeping,
  }: {
    live: readonly string[];
    ended: readonly string[];
    keeping: Awaited<ReturnType<typeof loginSyncContext>>;
  },
): Promise<boolean> {
  if (live.length + ended.length === 0) return true;
  const { home, uid, gid } = app.user;
  const kept = await runLoginSync({ file, home, owner: { uid, gid }, live, ended }, keeping);
  return kept === 'done';
}

function sessionsIn(value: unknown): SessionLogin[] {
  return (Array.isArray(value) ? (value as unknown[]) : []).flatMap((one) => {
    const { session, tool } = objectIn(one) ?? {};
    return typeof session === 'string' && isUuid(session) && typeof tool === 'string'
      ? [{ session, tool }]
      : [];
  });
}

async function readInput(app: App): Promise<string> {
  let text = '';
  for await (const chunk of app.io.stdin.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > inputMaxBytes) throw new CoiError('usage', 'too much on stdin');
  }
  return text;
}
