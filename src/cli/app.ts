// The composition root of the command line: what a command may touch, made by hand, the expensive parts only when asked for.
import { statSync } from 'node:fs';
import { type ClosableContext, makeContext } from '../app/make-context.ts';
import { CoiError } from '../errors.ts';
import { unansweredNow } from '../host/fs/meta/answers.ts';
import { heldPlace } from '../session/plan/held-directory.ts';
import { byteProgress } from './ui/bytes.ts';
import { interruption, interrupts } from './ui/interruption.ts';
import { type Io, makeIo } from './ui/io.ts';
import { stepProgress } from './ui/progress.ts';
import { stepTiming } from './ui/timing.ts';

/** What a command may touch: that of a use case, and the terminal. */
export interface App extends ClosableContext {
  readonly io: Io;
}

export interface Wish {
  /** `--verbose`. */
  readonly verbose: boolean;
}

export function makeApp(process: NodeJS.Process, wish?: Wish): App {
  const { env } = process;
  const io = makeIo(told(process, wish));
  const elapsedMs = () => performance.now();
  const timing = stepTiming(env, (text) => io.stderr.write(text), elapsedMs);
  let cwd: string | undefined;
  let signal: AbortSignal | undefined;
  const context = makeContext({
    env,
    get cwd() {
      // Only who needs it fails where there is none.
      cwd ??= currentDirectory(process);
      return cwd;
    },
    get signal() {
      // Until a command waits for something, a signal may end the program as it ends any other.
      signal ??= interruptSignal(process, io);
      return signal;
    },
    report: {
      info: io.tell,
      detail: io.detail,
      warn: io.warn,
      setup: (text) => io.tell(io.brief ? text : `[setup] ${text}`),
    },
    progress: () => {
      const { tell, clear } = stepProgress(io);
      return {
        tell: (event) => {
          timing.tell(event);
          tell(event);
        },
        clear,
      };
    },
    byteProgress: (title, totalBytes) => byteProgress(io, title, totalBytes, elapsedMs),
    mark: timing.mark,
    embedded: false,
    closing: timing.report,
  });
  return Object.assign(context, { io });
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
