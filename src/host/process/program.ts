// The only place that starts programs of the host. Always without a shell, and with nothing on standard input but what is
// given. Who uses it says what differs: the environment, how it is told to end, and how much of its output counts.
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';

export type Environment = Readonly<Record<string, string | undefined>>;

/** That of programs which root runs whoever asked for it: nothing of the caller's, and words that can be read by machine. */
export const plainEnvironment: Environment = {
  PATH: '/usr/sbin:/sbin:/usr/bin:/bin',
  LC_ALL: 'C',
};

export interface ProgramOptions {
  /** Where not given, that of this process. */
  readonly cwd?: string | undefined;
  /** Nothing else; that of this process where not given. */
  readonly env?: Environment | undefined;
  /** Only root can become others. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface StartOptions extends ProgramOptions {
  readonly stdio: StdioOptions;
  /** A group and a session of its own: it outlives this process, or is ended with its children. */
  readonly detached?: boolean;
  /** Aborted, it gets `endWith`: SIGTERM where not given. */
  readonly signal?: AbortSignal | undefined;
  readonly endWith?: NodeJS.Signals;
}

/** A failure to start it comes as the event `error`. */
export function startProgram(argv: readonly string[], options: StartOptions): ChildProcess {
  const [file = '', ...args] = argv;
  const { cwd, env, user, signal, stdio, detached, endWith } = options;
  return spawn(file, args, {
    stdio,
    detached: detached ?? false,
    ...(cwd !== undefined && { cwd }),
    ...(env && { env: { ...env } }),
    ...user,
    ...(signal && { signal }),
    ...(endWith && { killSignal: endWith }),
  });
}

export interface ReadOptions extends ProgramOptions {
  readonly signal?: AbortSignal;
  /** At the signal; SIGTERM where not given. */
  readonly endWith?: 'SIGKILL';
  /** Becomes its `givenDescriptor`. */
  readonly given?: number;
}

export const givenDescriptor = 3;

/** A program whose output is read while it runs. */
export interface ReadableProgram {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined;
  readonly stdout: Readable;
  /** Never resolves if it cannot be started. */
  readonly started: Promise<void>;
  /** As `statusOf`. */
  readonly ended: Promise<number | undefined>;
  kill(): void;
  /** Kills it and waits for nothing of it: the kernel may keep it from ending. */
  leave(): void;
}

export type ReadProgram = (argv: readonly string[], options: ReadOptions) => ReadableProgram;

export const readProgram: ReadProgram = (argv, options) => {
  const more = options.given === undefined ? [] : [options.given];
  const child = startProgram(argv, { ...options, stdio: ['ignore', 'pipe', 'ignore', ...more] });
  // There is none where this process has no descriptor left.
  const stdout = child.stdout ?? Readable.from([]);
  return {
    pid: child.pid,
    stdout,
    started: new Promise((resolve) => child.once('spawn', resolve)),
    ended: statusOf(child),
    kill: () => void child.kill('SIGKILL'),
    leave: () => {
      child.kill('SIGKILL');
      stdout.destroy();
      child.unref();
    },
  };
};

/** What is kept of an output, in characters. */
export interface Kept {
  readonly max: number;
  /** `end`: a program that prints more than that is ended. */
  readonly beyond: 'drop the start' | 'drop the rest' | 'end';
}

export interface RunOptions extends ProgramOptions {
  /** Text, or a descriptor. */
  readonly input?: string | number;
  /** Where both outputs go if they are not kept; `terminal`: that of this process, its input too. */
  readonly output?: 'nowhere' | 'terminal' | 'stderr';
  readonly stdout?: Kept;
  readonly stderr?: Kept;
  /** Then it gets `endWith`, and is waited for. */
  readonly limitMs?: number;
  /** Aborted, it gets `endWith`, and is not waited for. */
  readonly signal?: AbortSignal | undefined;
  /** SIGKILL where not given. */
  readonly endWith?: 'SIGTERM';
  /** This process may end before it. */
  readonly isLeft?: boolean;
}

export interface ProgramEnd {
  /** Undefined if it was not started, or was ended by a signal. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Why it was not started, or that the caller's signal came. */
  readonly failure: NodeJS.ErrnoException | undefined;
  readonly isLate: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const lastWords: Kept = { max: 1 << 20, beyond: 'drop the start' };

/** Resolves when it has ended and all was read. Never rejects. */
export function runProgram(argv: readonly string[], options: RunOptions): Promise<ProgramEnd> {
  const { input, output, limitMs, isLeft, endWith = 'SIGKILL' } = options;
  const child = startProgram(argv, { ...options, endWith, stdio: stdioOf(input, output) });
  if (isLeft) child.unref();
  const end = () => void child.kill(endWith);
  const stdout = textOf(child.stdout, options.stdout ?? lastWords, end);
  const stderr = textOf(child.stderr, options.stderr ?? lastWords, end);
  // A program that does not read its input may end first.
  child.stdin?.on('error', () => undefined).end(input);
  return new Promise((resolve) => {
    let isLate = false;
    const late = () => {
      isLate = true;
      end();
    };
    const limit = limitMs === undefined ? undefined : setTimeout(late, limitMs);
    const done = (found: Pick<ProgramEnd, 'status' | 'signal' | 'failure'>) => {
      clearTimeout(limit);
      resolve({ ...found, isLate, stdout: stdout(), stderr: stderr() });
    };
    child.once('error', (failure) => done({ status: undefined, signal: undefined, failure }));
    child.once('close', (status, signal) =>
      done({ status: status ?? undefined, signal: signal ?? undefined, failure: undefined }),
    );
  });
}

function stdioOf(input: RunOptions['input'], output: RunOptions['output']): StdioOptions {
  if (output === 'terminal') return 'inherit';
  const stdin = typeof input === 'string' ? 'pipe' : (input ?? 'ignore');
  const both = output === 'nowhere' ? 'ignore' : output === 'stderr' ? 2 : 'pipe';
  return [stdin, both, both];
}

function textOf(stream: Readable | null, { max, beyond }: Kept, end: () => void): () => string {
  let text = '';
  stream?.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    if (text.length <= max) return;
    if (beyond === 'end') end();
    else text = beyond === 'drop the rest' ? text.slice(0, max) : text.slice(-max);
  });
  return () => text;
}

/** Its status when it has ended and all was read; undefined if it was not started, or was ended by a signal. */
export function statusOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('close', (status) => resolve(status ?? undefined));
  });
}

export interface RunNowOptions extends ProgramOptions {
  /** Over it, and `failure` is `ETIMEDOUT`. */
  readonly limitMs: number;
  /** SIGTERM where not given. */
  readonly endWith?: 'SIGKILL';
  /** Of its output: with more `failure` is `ENOBUFS`. Nobody reads it if it is 0. */
  readonly maxBytes: number;
}

export interface ProgramNowEnd {
  readonly status: number | undefined;
  /** Of the system, as `ENOENT`. */
  readonly failure: string | undefined;
  readonly stdout: Buffer;
}

/** Waits for its end, and this process does nothing else meanwhile. */
export function runProgramNow(argv: readonly string[], options: RunNowOptions): ProgramNowEnd {
  const [file = '', ...args] = argv;
  const { cwd, env, limitMs, endWith, maxBytes } = options;
  const { status, error, stdout } = spawnSync(file, args, {
    stdio: ['ignore', maxBytes === 0 ? 'ignore' : 'pipe', 'ignore'],
    timeout: limitMs,
    maxBuffer: maxBytes,
    ...(cwd !== undefined && { cwd }),
    ...(env && { env: { ...env } }),
    ...(endWith && { killSignal: endWith }),
  });
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return {
    status: status ?? undefined,
    failure: error && (code ?? error.name),
    // There is none if it was not started.
    stdout: stdout ?? Buffer.alloc(0),
  };
}
