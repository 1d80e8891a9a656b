// Runs the program that syncs a user's logins, as that user and without coid's environment.
import type { Libc } from '../../host/linux/libc.ts';
import { runAs } from '../../host/process/run-as.ts';
import type { DaemonOptions } from '../options.ts';
import type { LoginWatchParts } from './login-watch.ts';

/** It contacts providers, and a tool of the user may have locked its file. */
const limitMs = 60_000;

export function loginSync(
  libc: Pick<Libc, 'account'>,
  { program, loginUrl }: Pick<DaemonOptions, 'program' | 'loginUrl'>,
): Pick<LoginWatchParts, 'sync' | 'homeOf'> {
  return {
    homeOf: (uid) => libc.account(uid)?.home,
    sync: async ({ uid, home, input }) => {
      const account = libc.account(uid);
      if (!account) return 0;
      return runAs({
        argv: [...program, '__keep-logins'],
        user: { ...account, home },
        environment: {
          // A company that intercepts TLS has its CA in the host's store.
          NODE_USE_SYSTEM_CA: '1',
          ...(loginUrl !== undefined && { COI_TEST_LOGIN_URL: loginUrl }),
        },
        input: JSON.stringify(input),
        limitMs,
      });
    },
  };
}
