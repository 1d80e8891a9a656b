// The composition root: everything that a command may touch, made by hand, the dear parts only when asked for.
import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { Coid } from './daemon/client.ts';
import { CoiError } from './errors.ts';
import { unansweredNow } from './host/answers.ts';
import type { Incus } from './incus/client.ts';
import { defaultPrefix, parsePrefix } from './names.ts';
import { heldPlace } from './session/held-place.ts';
import { interruption, interrupts } from './ui/interruption.ts';
import { type Io, makeIo } from './ui/io.ts';
import { version } from './version.ts';

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly name: string;
}

export interface Clock {
  now(): Date;
  /** Milliseconds since the program started, monotonic. */
  elapsedMs(): number;
}

export interface App {
  readonly io: Io;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly user: User;
  readonly version: string;
  /** `coi-` or `$COI_CONTAINER_PREFIX`. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; its reason is a CoiError `cancelled`. */
  readonly signal: AbortSignal;
  /** The client for the Incus socket, made at the first call; connects when used. */
  incus(): Promise<Incus>;
  /** The client for coid's socket, likewise. */
  coid(): Promise<Coid>;
  /** Another program uses this one as a library (src/index.ts): argv is not ours, so nothing of ours is started from it. */
  readonly embedded: boolean;
  /** Lets the program end: closes what was opened. */
  close(): Promise<void>;
}

/** What a program that uses this one as a library decides itself. */
export type Given = Pick<App, 'io' | 'env' | 'cwd' | 'signal'>;

export interface Wish {
  /** `--verbose`. */
  readonly verbose: boolean;
}

export function makeApp(process: NodeJS.Process, given?: Given, wish?: Wish): App {
  const env = given?.env ?? process.env;
  const io = given?.io ?? makeIo(told(process, wish));
  let cwd: string | undefined;
  let signal: AbortSignal | undefined;
  let incus: Promise<Incus> | undefined;
  let coid: Promise<Coid> | undefined;
  return {
    io,
    env,
    get cwd() {
      // Only who needs it fails where there is none.
      cwd ??= given?.cwd ?? currentDirectory(process);
      return cwd;
    },
    get user() {
      return currentUser(env);
    },
    version,
    get prefix() {
      return env['COI_CONTAINER_PREFIX'] === undefined
        ? defaultPrefix
        : parsePrefix(env['COI_CONTAINER_PREFIX']);
    },
    clock: { now: () => new Date(), elapsedMs: () => performance.now() },
    get signal() {
      // Until a command waits for something, a signal may end the program as it ends any other.
      signal ??= given?.signal ?? interruptSignal(process, io);
      return signal;
    },
    incus: () => {
      incus ??= import('./incus/open.ts').then(({ openIncus, incusSocketPath }) =>
        openIncus({ socketPath: incusSocketPath(env) }),
      );
      return incus;
    },
    coid: () => {
      coid ??= import('./daemon/client.ts').then(({ openCoid, coidSocketPath }) =>
        openCoid({ socketPath: coidSocketPath(env), tell: io.tell }),
      );
      return coid;
    },
    embedded: given !== undefined,
    close: async () => (await incus)?.close(),
  };
}

/** The streams of the process are made when they are first touched. */
function told(process: NodeJS.Process, wish: Wish | undefined): Parameters<typeof makeIo>[0] {
  return {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    env: process.env,
    verbose: wish?.verbose ?? false,
  };
}

/** One signal for the whole program: the first of INT, TERM and HUP aborts it; a second INT ends the program at once. */
function interruptSignal(process: NodeJS.Process, io: Io): AbortSignal {
  const controller = new AbortController();
  for (const name of interrupts) {
    process.on(name, () => {
      // What is said next takes the place of the `^C` that the terminal shows.
      if (name === 'SIGINT' && io.live && !process.stdin.isRaw) io.overwrite('');
      if (controller.signal.aborted && name === 'SIGINT') {
        io.tell('Interrupted again, before all was undone; `coi list` shows what is left.');
        process.exit(130);
      }
      controller.abort(interruption(name));
    });
  }
  return controller.signal;
}

function currentDirectory(process: NodeJS.Process): string {
  // The path as the user sees it, links included: it is the workspace's identity.
  const seen = process.env['PWD'];
  const real = workingDirectory(process);
  const held = unansweredNow([real]);
  if (held) throw heldPlace(real, held.mount);
  return seen?.startsWith('/') && isSameDirectory(seen, real) ? seen : real;
}

function workingDirectory(process: NodeJS.Process): string {
  try {
    return process.cwd();
  } catch (cause) {
    const isGone = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CoiError(
      'workspace-invalid',
      isGone
        ? 'the current directory does not exist any more'
        : 'the current directory cannot be read by this user',
      { hint: 'Change to another directory.', cause },
    );
  }
}

/** Also false where this user may not look at one of them: whoever needs it is told by its real path. */
function isSameDirectory(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.ino === b.ino && a.dev === b.dev;
  } catch {
    return false;
  }
}

function currentUser(env: Readonly<Record<string, string | undefined>>): User {
  const { uid, gid, homedir, username } = userInfo();
  const home = env['HOME']?.startsWith('/') ? env['HOME'] : homedir;
  return { uid, gid, home, name: username };
}
