// Starts the program that watches a user's sessions, as that user and without coid's environment.
import type { Libc } from '../../host/linux/libc.ts';
import { startProgram, statusOf } from '../../host/process/program.ts';
import { asUser } from '../../host/process/run-as.ts';
import type { DaemonOptions } from '../options.ts';
import type { SessionWatchersParts } from './session-watchers.ts';

/**
 * A company that intercepts TLS has its CA in the host's store. What sessions write must not make the watcher use up the
 * memory of coid's control group, in which it runs.
 */
const watcherEnvironment = { NODE_USE_SYSTEM_CA: '1', NODE_OPTIONS: '--max-old-space-size=128' };

export function watcherStart(
  libc: Pick<Libc, 'account'>,
  { program }: Pick<DaemonOptions, 'program'>,
): Pick<SessionWatchersParts, 'start' | 'homeOf'> {
  return {
    homeOf: (uid) => libc.account(uid)?.home,
    start: ({ uid, home }) => {
      const account = libc.account(uid);
      if (!account) return undefined;
      const child = startProgram([...program, '__watch-sessions'], {
        ...asUser({ ...account, home }, watcherEnvironment),
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      // It may end without reading its input.
      child.stdin?.on('error', () => undefined);
      child.unref();
      return {
        send: (line) => child.stdin?.write(line) ?? true,
        end: () => void child.stdin?.end(),
        ended: statusOf(child),
        onDrained: (then) => void child.stdin?.on('drain', then),
      };
    },
  };
}
