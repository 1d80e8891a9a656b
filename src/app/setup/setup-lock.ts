// Lock that allows one setup at a time on a host.
import { CoiError } from '../../errors.ts';
import { loadLibc } from '../../host/linux/load-libc.ts';
import { takeLock } from '../../host/process/process-lock.ts';
import type { AppContext } from '../context.ts';

/** Concurrent setups would repair the same things twice. */
export async function withSetupLock<T>(app: AppContext, work: () => Promise<T>): Promise<T> {
  const lock = takeLock(await loadLibc(), lockPath);
  if (lock.kind === 'held')
    throw new CoiError(
      'setup-failed',
      `another \`coi setup\` is running on this host (pid ${lock.pid})`,
      { hint: 'Wait for it, then run `coi setup` again.' },
    );
  try {
    app.signal.throwIfAborted();
    return await work();
  } finally {
    lock.release();
  }
}

const lockPath = '/run/coi-setup.lock';
