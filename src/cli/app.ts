// Composition root of the command line: wires dependencies by hand; expensive ones are created lazily.
import { statSync } from 'node:fs';
import { type ClosableContext, makeContext } from '../app/make-context.ts';
import { CoiError } from '../errors.ts';
import { findHungPathSync } from '../host/fs/meta/hung-mounts.ts';
import { unresponsiveDirectory } from '../session/plan/unresponsive-directory.ts';
import { byteProgress } from './ui/bytes.ts';
import { interruptError, interruptSignals } from './ui/interrupts.ts';
import { type Io, makeIo } from './ui/io.ts';
import { stepProgress } from './ui/step-progress.ts';
import { stepTiming } from './ui/step-timing.ts';

/** The dependencies of a command: those of a use case, and the terminal. */
export interface App extends ClosableContext {
  readonly io: Io;
}

export interface AppOptions {
  /** `--verbose`. */
  readonly verbose: boolean;
}

export function makeApp(process: NodeJS.Process, options?: AppOptions): App {
  const { env } = process;
  const io = makeIo(ioStreams(process, options));
  const elapsedMs = () => performance.now();
  const timing = stepTiming(env, (text) => io.stderr.write(text), elapsedMs);
  let cwd: string | undefined;
  let signal: AbortSignal | undefined;
  const context = makeContext({
    env,
    get cwd() {
      // Read lazily: commands that do not need it also work in a deleted directory.
      cwd ??= currentDirectory(process);
      return cwd;
    },
    get signal() {
      // Installed lazily: until a command waits for something, signals end the program as usual.
      signal ??= interruptSignal(process, io);
      return signal;
    },
    report: {
      info: io.info,
      detail: io.detail,
      warn: io.warn,
      setup: (text) => io.info(io.briefStderr ? text : `[setup] ${text}`),
    },
    progress: () => {
      const { update: tell, clear } = stepProgress(io);
      return {
        update: (event) => {
          timing.record(event);
          tell(event);
        },
        clear,
      };
    },
    byteProgress: (title, totalBytes) => byteProgress(io, title, totalBytes, elapsedMs),
    mark: timing.mark,
    embedded: false,
    onClose: timing.report,
  });
  return Object.assign(context, { io });
}

/** Node creates the streams of the process on first access. */
function ioStreams(
  process: NodeJS.Process,
  options: AppOptions | undefined,
): Parameters<typeof makeIo>[0] {
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
    verbose: options?.verbose ?? false,
  };
}

/** One signal for the whole program: the first SIGINT, SIGTERM or SIGHUP aborts it; a second SIGINT exits immediately. */
function interruptSignal(process: NodeJS.Process, io: Io): AbortSignal {
  const controller = new AbortController();
  for (const name of interruptSignals) {
    process.on(name, () => {
      // The next line overwrites the `^C` that the terminal echoes.
      if (name === 'SIGINT' && io.canOverwrite && !process.stdin.isRaw) io.overwrite('');
      if (controller.signal.aborted && name === 'SIGINT') {
        io.info('Interrupted again before cleanup finished; `coi list` shows what is left.');
        process.exit(130);
      }
      controller.abort(interruptError(name));
    });
  }
  return controller.signal;
}

function currentDirectory(process: NodeJS.Process): string {
  // The path as the user sees it, symbolic links included: it identifies the workspace.
  const seen = process.env['PWD'];
  const real = workingDirectory(process);
  const held = findHungPathSync([real]);
  if (held) throw unresponsiveDirectory(real, held.mount);
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
        ? 'the current directory no longer exists'
        : 'the current directory cannot be read by this user',
      { hint: 'Change to another directory.', cause },
    );
  }
}

/** Also false if this user may not read one of them; the caller then uses the real path. */
function isSameDirectory(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.ino === b.ino && a.dev === b.dev;
  } catch {
    return false;
  }
}
