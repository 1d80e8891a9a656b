// Starts the program that keeps a user's logins, as that user and with nothing of coid's.
import type { Libc } from '../../host/linux/libc.ts';
import { runAs } from '../../host/process/run-as.ts';
import type { DaemonOptions } from '../options.ts';
import type { LoginsParts } from './watch.ts';

/** Providers are asked meanwhile, and a tool of the user may hold its file. */
const limitMs = 60_000;

export function keeperOf(
  libc: Pick<Libc, 'account'>,
  { program, loginUrl }: Pick<DaemonOptions, 'program' | 'loginUrl'>,
): Pick<LoginsParts, 'keep' | 'homeOf'> {
  return {
    homeOf: (uid) => libc.account(uid)?.home,
    keep: async ({ uid, home, input }) => {
      const account = libc.account(uid);
      if (!account) return 0;
      return runAs({
        argv: [...program, '__keep-logins'],
        user: { ...account, home },
        environment: {
          // Where a company looks into TLS, its authority is one of the host's.
          NODE_USE_SYSTEM_CA: '1',
          ...(loginUrl !== undefined && { COI_TEST_LOGIN_URL: loginUrl }),
        },
        input: JSON.stringify(input),
        limitMs,
      });
    },
  };
}
