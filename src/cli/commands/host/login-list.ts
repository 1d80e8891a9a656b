// `coi login list`: the shared logins, and the sessions with a different one.
import { loginSyncContext } from '../../../app/logins/login-sync.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { loadMemory, readHostLogins, saveMemory } from '../../../logins/copies.ts';
import { loginFiles } from '../../../logins/formats/list.ts';
import type { Login, LoginFile } from '../../../logins/formats/login.ts';
import type { LoginMemory } from '../../../logins/memory.ts';
import { markAllSeen, reasonWords } from '../../../logins/notices.ts';
import type { App } from '../../app.ts';
import { table } from '../../ui/table.ts';

export async function list(app: App, json: boolean): Promise<void> {
  const { home, uid, gid } = app.user;
  const found = loginFiles.map((file) => ({
    file,
    own: readHostLogins(file, home, hostFiles),
    memory: loadMemory(file, home, hostFiles),
  }));
  const logins = found.flatMap(({ file, own, memory }) =>
    [...own.logins.values()].map((login) => loginRow(app, file, login, memory)),
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
  const unreported = found.filter(({ memory }) =>
    [...memory.values()].some(({ verdicts }) => verdicts.some(({ told }) => !told)),
  );
  if (unreported.length === 0) return;
  const keeping = await loginSyncContext(app);
  await keeping.exclusively(() => {
    for (const { file } of unreported) {
      const memory = markAllSeen(loadMemory(file, home, hostFiles));
      saveMemory(file, home, memory, { owner: { uid, gid }, files: hostFiles });
    }
  });
}

function loginRow(app: App, file: LoginFile, login: Login, memory: LoginMemory) {
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
  logins: readonly ReturnType<typeof loginRow>[],
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
    renewable ? `${expired ? 'expired' : 'until'} ${end ?? '-'}` : 'key',
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
      'Sessions with a different login:',
      ...table(['SESSION', 'TOOL', 'ACCOUNT', 'WHY'], sessions),
    ].join('\n'),
  );
}
