// Runs one host program with a time limit. Takes argument lists only, never a shell string.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string | Buffer;
  /** Default 60 s; afterwards the program is killed and the promise rejects. */
  readonly limitMs?: number;
}

export interface CommandResult {
  /** The exit status, or 128 + the signal's number. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

const defaultLimitMs = 60_000;

/** A running program. `result` rejects on a timeout or if the program cannot be started. */
export interface RunningCommand {
  readonly pid: number;
  readonly result: Promise<CommandResult>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a program and returns while it runs. */
export function startCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): RunningCommand {
  const [file, ...args] = argv;
  if (file === undefined) throw new Error('an empty command');
  const startedMs = performance.now();
  const child = spawn(file, args, {
    stdio: 'pipe',
    ...(options.env && { env: options.env }),
    ...(options.cwd && { cwd: options.cwd }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program may exit without reading its input.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const limitMs = options.limitMs ?? defaultLimitMs;
  const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString();
  const result = new Promise<CommandResult>((resolve, reject) => {
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      reject(
        new Error(
          `${argv.join(' ')}: not done after ${limitMs} ms\n${text(stdout)}${text(stderr)}`,
        ),
      );
    }, limitMs);
    child.on('error', (error) => {
      clearTimeout(limit);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      const status = code ?? 128 + (signal ? signalNumber(signal) : 0);
      resolve({
        status,
        stdout: text(stdout),
        stderr: text(stderr),
        elapsedMs: performance.now() - startedMs,
      });
    });
  });
  return { pid: child.pid ?? -1, result, kill: (signal) => void child.kill(signal) };
}

/** Runs a program to its end, whatever its exit status. */
export function runCommand(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return startCommand(argv, options).result;
}

/** Like runCommand(), but rejects with the output if the exit status is not 0. */
export async function mustRun(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await runCommand(argv, options);
  if (result.status !== 0) {
    throw new Error(`${argv.join(' ')}: status ${result.status}\n${result.stdout}${result.stderr}`);
  }
  return result;
}

function signalNumber(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}
