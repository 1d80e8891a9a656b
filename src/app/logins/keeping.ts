// What the commands about logins share: how the keeper is run for the user, and which sessions may have something new.
import { setTimeout as delay } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { loadLibc } from '../../host/linux/load-libc.ts';
import { askService } from '../../host/net/https-client.ts';
import { whileLocked } from '../../host/process/process-lock.ts';
import { asking } from '../../logins/ask.ts';
import type { LoginFile } from '../../logins/formats/login.ts';
import type { Keeping } from '../../logins/keep.ts';
import { memoryPath } from '../../logins/memory.ts';
import { ownPlace } from '../../logins/place.ts';
import { isUuid } from '../../names.ts';
import type { AppContext } from '../context.ts';

const lockLimitMs = 10_000;
const pauseMs = 200;
/** Where nothing is remembered: older logins are none that a session has just renewed. */
const firstLookMs = 12 * 3_600_000;
const sessionsMax = 2000;

export async function keepingOf(app: AppContext): Promise<Keeping> {
  const { home, uid, gid } = app.user;
  const libc = await loadLibc();
  using top = ownPlace(home, { uid, gid }, hostFiles);
  if (!top) throw new CoiError('failed', `the home directory ${home} does not exist`);
  using place = top.makeDirectory('logins', { owner: { uid, gid } });
  const lock = `${place.realPath()}/lock`;
  return {
    files: hostFiles,
    ask: asking(askService, app.env['COI_TEST_LOGIN_URL']),
    now: () => app.clock.now(),
    whileAlone: async (effect) => {
      const limit = AbortSignal.timeout(lockLimitMs);
      if (!(await whileLocked(libc, lock, limit, effect)))
        throw new CoiError('timeout', 'another program of coi works on the logins');
    },
    pause: () => delay(pauseMs),
  };
}

/** Sessions of a tool whose file of logins was changed since the logins were last written down. */
export function endedSessions(app: AppContext, file: LoginFile, live: readonly string[]): string[] {
  const { home } = app.user;
  const found: string[] = [];
  using top = hostFiles.open(`${home}/.coi`);
  const lastMs = top?.entry(memoryPath(file.tool))?.stat.mtimeMs;
  const sinceMs = lastMs ?? app.clock.now().getTime() - firstLookMs;
  using stores = hostFiles.open(`${home}/.coi/sessions-${file.tool}`);
  for (const { name } of stores?.entries() ?? []) {
    if (found.length >= sessionsMax) break;
    if (!isUuid(name) || live.includes(name)) continue;
    // Its container cannot set this time.
    if ((changedMs(() => stores?.entry(`${name}/${file.path}`)?.stat.ctimeMs) ?? 0) > sinceMs)
      found.push(name);
  }
  return found;
}

function changedMs(look: () => number | undefined): number | undefined {
  try {
    return look();
  } catch (error) {
    if (!hostFiles.problem(error)) throw error;
    return undefined;
  }
}
