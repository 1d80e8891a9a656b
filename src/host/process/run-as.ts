// Runs a program as another user of the host, with nothing of ours: for what a user's configuration names.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface RunAs {
  readonly argv: readonly string[];
  readonly user: {
    readonly name: string;
    readonly uid: number;
    readonly gid: number;
    readonly home: string;
  };
  readonly environment: Readonly<Record<string, string>>;
  /** Becomes its standard input. */
  readonly input: string;
  /** Then it is killed. */
  readonly limitMs: number;
}

/** Resolves with the exit status; 127 if it could not be started, 137 if it was killed. Only root can become others. */
export function runAs({ argv, user, environment, input, limitMs }: RunAs): Promise<number> {
  const [program = '', ...rest] = argv;
  const runtime = `/run/user/${user.uid}`;
  // A desktop's notification service is found through these.
  const session = existsSync(runtime)
    ? { XDG_RUNTIME_DIR: runtime, DBUS_SESSION_BUS_ADDRESS: `unix:path=${runtime}/bus` }
    : {};
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      ...(process.geteuid?.() === 0 ? { uid: user.uid, gid: user.gid } : {}),
      cwd: existsSync(user.home) ? user.home : '/',
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LANG: 'C.UTF-8',
        HOME: user.home,
        USER: user.name,
        LOGNAME: user.name,
        ...session,
        ...environment,
      },
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    child.once('error', () => resolve(127));
    child.once('close', (status) => resolve(status ?? 137));
    // A program that does not read its input may end first.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
