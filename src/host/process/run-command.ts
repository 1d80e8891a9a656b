// Runs a host program and reports its output line by line.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { startProgram, statusOf } from './program.ts';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to coi's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called for each line of both outputs. */
  readonly onLine?: (line: string) => void;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** The signal that ends it: some programs roll back only on SIGINT. */
  readonly endWith?: 'SIGTERM' | 'SIGINT';
}

/** `status` is undefined if the program could not be started (not installed) or was killed by a signal. */
export interface CommandEnd {
  readonly status: number | undefined;
  readonly stdout: string;
}

export type RunCommand = (argv: readonly string[], options: CommandOptions) => Promise<CommandEnd>;

const graceMs = 3000;

/**
 * Runs argv without a shell and with empty stdin, and resolves when it has ended and its output was read. When the signal
 * aborts, the program and its children get `endWith`, then SIGKILL, and the signal's reason is thrown.
 */
export const runCommand: RunCommand = async (argv, options) => {
  const { signal, timeoutMs, onLine } = options;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  limit.throwIfAborted();
  // Its own process group, so that its children can be killed too.
  const child = startProgram(argv, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const end = (name: 'SIGTERM' | 'SIGINT' | 'SIGKILL') => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // The group has already ended.
    }
  };
  let kill: NodeJS.Timeout | undefined;
  const stop = () => {
    end(options.endWith ?? 'SIGTERM');
    kill = setTimeout(() => end('SIGKILL'), graceMs);
  };
  limit.addEventListener('abort', stop, { once: true });
  const ended = statusOf(child);
  let stdout = '';
  eachLine(child.stdout, (line) => {
    stdout += `${line}\n`;
    onLine?.(line);
  });
  eachLine(child.stderr, (line) => onLine?.(line));
  const status = await ended;
  clearTimeout(kill);
  limit.removeEventListener('abort', stop);
  limit.throwIfAborted();
  return { status, stdout };
};

function eachLine(stream: Readable | null, take: (line: string) => void): void {
  if (stream)
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', take);
}

/** The pid of this process, to mark what it creates. */
export function ownPid(): number {
  return process.pid;
}

/** True if a process with that pid exists, of any user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
