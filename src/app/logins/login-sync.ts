// Shared by the login commands: the context of the login sync, and which sessions may have new logins.
import { setTimeout as delay } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { loadLibc } from '../../host/linux/load-libc.ts';
import { requestService } from '../../host/net/https-client.ts';
import { withLock } from '../../host/process/process-lock.ts';
import { createAskProvider } from '../../logins/ask-provider.ts';
import { openCoiDirectory } from '../../logins/coi-directory.ts';
import type { LoginFile } from '../../logins/formats/login.ts';
import { memoryPath } from '../../logins/memory.ts';
import type { SyncDependencies } from '../../logins/sync.ts';
import { isUuid } from '../../names.ts';
import type { AppContext } from '../context.ts';

const lockLimitMs = 10_000;
const pauseMs = 200;
/** If nothing was recorded yet: a session has not just renewed logins that are older than this. */
const firstCheckMs = 12 * 3_600_000;
const sessionsMax = 2000;

export async function loginSyncContext(app: AppContext): Promise<SyncDependencies> {
  const { home, uid, gid } = app.user;
  const libc = await loadLibc();
  using top = openCoiDirectory(home, { uid, gid }, hostFiles);
  if (!top) throw new CoiError('failed', `the home directory ${home} does not exist`);
  using directory = top.makeDirectory('logins', { owner: { uid, gid } });
  const lock = `${directory.realPath()}/lock`;
  return {
    files: hostFiles,
    ask: createAskProvider(requestService, app.env['COI_TEST_LOGIN_URL']),
    now: () => app.clock.now(),
    exclusively: async (effect) => {
      const limit = AbortSignal.timeout(lockLimitMs);
      if (!(await withLock(libc, lock, limit, effect)))
        throw new CoiError('timeout', 'another coi process is updating the logins');
    },
    pause: () => delay(pauseMs),
  };
}

/** Sessions of a tool whose login file has changed since the logins were last recorded. */
export function changedSessions(
  app: AppContext,
  file: LoginFile,
  live: readonly string[],
): string[] {
  const { home } = app.user;
  const found: string[] = [];
  using top = hostFiles.open(`${home}/.coi`);
  const lastMs = top?.entry(memoryPath(file.tool))?.stat.mtimeMs;
  const sinceMs = lastMs ?? app.clock.now().getTime() - firstCheckMs;
  using stores = hostFiles.open(`${home}/.coi/sessions-${file.tool}`);
  for (const { name } of stores?.entries() ?? []) {
    if (found.length >= sessionsMax) break;
    if (!isUuid(name) || live.includes(name)) continue;
    // The container cannot set the ctime.
    if ((changedMs(() => stores?.entry(`${name}/${file.path}`)?.stat.ctimeMs) ?? 0) > sinceMs)
      found.push(name);
  }
  return found;
}

function changedMs(look: () => number | undefined): number | undefined {
  try {
    return look();
  } catch (error) {
    if (!hostFiles.asFileError(error)) throw error;
    return undefined;
  }
}
