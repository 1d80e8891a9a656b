// The only file that starts host programs: always without a shell, and with empty standard input by default. Callers
// choose the environment, the signal that ends it and how much output is kept.
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import { Readable } from 'node:stream';

export type Environment = Readonly<Record<string, string | undefined>>;

/** For programs that root runs on behalf of any caller: nothing of the caller's environment, and machine-readable output. */
export const plainEnvironment: Environment = {
  PATH: '/usr/sbin:/sbin:/usr/bin:/bin',
  LC_ALL: 'C',
};

export interface ProgramOptions {
  /** Default: the working directory of this process. */
  readonly cwd?: string | undefined;
  /** The complete environment; default: that of this process. */
  readonly env?: Environment | undefined;
  /** Only root can switch users. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface StartOptions extends ProgramOptions {
  readonly stdio: StdioOptions;
  /** Starts it in its own process group and session, so that it can outlive this process or be killed with its children. */
  readonly detached?: boolean;
  /** On abort the program gets `endWith`, by default SIGTERM. */
  readonly signal?: AbortSignal | undefined;
  readonly endWith?: NodeJS.Signals;
}

/** A failure to start is emitted as `error`. */
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
  /** Sent when the signal aborts; default SIGTERM. */
  readonly endWith?: 'SIGKILL';
  /** A descriptor that the program inherits as `inheritedDescriptor`. */
  readonly inherited?: number;
}

export const inheritedDescriptor = 3;

/** A running program whose output can be read. */
export interface ReadableProgram {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined;
  readonly stdout: Readable;
  /** Never resolves if the program cannot be started. */
  readonly started: Promise<void>;
  /** See `statusOf`. */
  readonly ended: Promise<number | undefined>;
  kill(): void;
  /** Kills it without waiting: the kernel may keep it from ending. */
  leave(): void;
}

export type ReadProgram = (argv: readonly string[], options: ReadOptions) => ReadableProgram;

export const readProgram: ReadProgram = (argv, options) => {
  const more = options.inherited === undefined ? [] : [options.inherited];
  const child = startProgram(argv, { ...options, stdio: ['ignore', 'pipe', 'ignore', ...more] });
  // There is none if this process has run out of descriptors.
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

/** How much of an output is kept, in characters. */
export interface OutputLimit {
  readonly max: number;
  /** `end`: a program that prints more is killed. */
  readonly beyond: 'drop the start' | 'drop the rest' | 'end';
}

export interface RunOptions extends ProgramOptions {
  /** Text or a descriptor. */
  readonly input?: string | number;
  /** Where both outputs go if they are not captured; `terminal` inherits all three streams. */
  readonly output?: 'nowhere' | 'terminal' | 'stderr';
  readonly stdout?: OutputLimit;
  readonly stderr?: OutputLimit;
  /** After this time it gets `endWith` and is waited for. */
  readonly limitMs?: number;
  /** On abort it gets `endWith` and is not waited for. */
  readonly signal?: AbortSignal | undefined;
  /** Default SIGKILL. */
  readonly endWith?: 'SIGTERM';
  /** Does not keep this process alive. */
  readonly unref?: boolean;
  /** At the limit its children get the signal too. */
  readonly withChildren?: boolean;
  /** Of input and outputs; with `latin1` every byte is one character. Default `utf8`. */
  readonly encoding?: 'utf8' | 'latin1' | undefined;
}

export interface ProgramEnd {
  /** Undefined if it was not started or was killed by a signal. */
  readonly status: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** The start error, or the abort error of the caller's signal. */
  readonly failure: NodeJS.ErrnoException | undefined;
  readonly isLate: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

const defaultOutputLimit: OutputLimit = { max: 1 << 20, beyond: 'drop the start' };

/** Resolves when the program has ended and its output was read. Never rejects. */
export function runProgram(argv: readonly string[], options: RunOptions): Promise<ProgramEnd> {
  const { input, output, limitMs, unref: isLeft, endWith = 'SIGKILL', withChildren } = options;
  const detached = withChildren ?? false;
  const child = startProgram(argv, {
    ...options,
    detached,
    endWith,
    stdio: stdioOf(input, output),
  });
  if (isLeft) child.unref();
  const end = () => {
    if (!withChildren || child.pid === undefined) child.kill(endWith);
    // Not if it has ended: its id could be in use again.
    else if (child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, endWith);
  };
  const { encoding = 'utf8' } = options;
  const stdout = textOf(child.stdout, options.stdout ?? defaultOutputLimit, encoding, end);
  const stderr = textOf(child.stderr, options.stderr ?? defaultOutputLimit, encoding, end);
  // The program may end without reading its input.
  child.stdin?.on('error', () => undefined).end(input, encoding);
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

function textOf(
  stream: Readable | null,
  { max, beyond }: OutputLimit,
  encoding: 'utf8' | 'latin1',
  end: () => void,
): () => string {
  let text = '';
  stream?.setEncoding(encoding).on('data', (part: string) => {
    text += part;
    if (text.length <= max) return;
    if (beyond === 'end') end();
    else text = beyond === 'drop the rest' ? text.slice(0, max) : text.slice(-max);
  });
  return () => text;
}

/** The status when the program has ended and its output was read; undefined if it was not started or was killed by a signal. */
export function statusOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined));
    child.once('close', (status) => resolve(status ?? undefined));
  });
}

export interface RunSyncOptions extends ProgramOptions {
  /** After this time `failure` is `ETIMEDOUT`. */
  readonly limitMs: number;
  /** Default SIGTERM. */
  readonly endWith?: 'SIGKILL';
  /** With more output `failure` is `ENOBUFS`; with 0 the output is not read. */
  readonly maxBytes: number;
}

export interface ProgramSyncEnd {
  readonly status: number | undefined;
  /** A system error code such as `ENOENT`. */
  readonly failure: string | undefined;
  readonly stdout: Buffer;
}

/** Runs a program synchronously. */
export function runProgramSync(argv: readonly string[], options: RunSyncOptions): ProgramSyncEnd {
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
    // Null if the program was not started.
    stdout: stdout ?? Buffer.alloc(0),
  };
}
