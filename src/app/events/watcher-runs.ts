// Whether the user's watcher runs: it holds a lock as long as it lives.
import { hostFiles } from '../../host/fs/host-files.ts';
import { loadLibc } from '../../host/linux/load-libc.ts';
import { lockHolder } from '../../host/process/process-lock.ts';
import type { AppContext } from '../context.ts';
import { eventsPath } from './event-log.ts';

/** False also if its files cannot be read. */
export async function watcherRuns(app: AppContext): Promise<boolean> {
  try {
    return lockHolder(await loadLibc(), `${eventsPath(app)}/lock`) !== undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (hostFiles.asFileError(error) || code === 'EACCES' || code === 'EPERM') return false;
    throw error;
  }
}
