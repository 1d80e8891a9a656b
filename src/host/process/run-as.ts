// Runs a program from a user's configuration as that user, with a clean environment.
import { existsSync } from 'node:fs';
import { type ProgramOptions, runProgram } from './program.ts';

export interface RunAs {
  readonly argv: readonly string[];
  readonly user: HostUser;
  readonly environment: Readonly<Record<string, string>>;
  /** The text for standard input. */
  readonly input: string;
  /** The program is killed after this time. */
  readonly limitMs: number;
}

export interface HostUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Resolves with the exit status; 127 if it could not be started, 137 if it was killed. Only root can switch users. */
export async function runAs({ argv, user, environment, input, limitMs }: RunAs): Promise<number> {
  const { status, failure } = await runProgram(argv, {
    ...asUser(user, environment),
    cwd: existsSync(user.home) ? user.home : '/',
    input,
    output: 'nowhere',
    limitMs,
  });
  return failure ? 127 : (status ?? 137);
}

/** How to start a program as that user, without the environment of this process. Does not touch the home, which may not answer. */
export function asUser(
  user: HostUser,
  environment: Readonly<Record<string, string>>,
): Required<Pick<ProgramOptions, 'cwd' | 'env'>> & ProgramOptions {
  const runtime = `/run/user/${user.uid}`;
  // A desktop's notification service is found through these.
  const session = existsSync(runtime)
    ? { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus` }
    : {};
  return {
    ...(process.geteuid?.() === 0 && { user: { uid: user.uid, gid: user.gid } }),
    cwd: '/',
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      LANG: 'C.UTF-8',
      HOME: user.home,
      USER: user.name,
      LOGNAME: user.name,
      ...session,
      ...environment,
    },
  };
}
