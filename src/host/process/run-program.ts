// Runs a program of the host to its end, line by line.
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { startProgram, statusOf } from './program.ts';

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of coi itself. */
  readonly env?: Readonly<Record<string, string>>;
  /** Each line of both outputs, as it comes. */
  readonly onLine?: (line: string) => void;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** What it is told to end with: some take back what they began only at an interrupt. */
  readonly endWith?: 'SIGTERM' | 'SIGINT';
}

/** `status` is undefined when the program could not be started (it is not installed) or was ended by a signal. */
export interface CommandEnd {
  readonly status: number | undefined;
  readonly stdout: string;
}

export type RunCommand = (argv: readonly string[], options: CommandOptions) => Promise<CommandEnd>;

const graceMs = 3000;

/**
 * Runs argv without a shell, nothing on stdin, and resolves when it has ended and all of it was read. When the signal
 * aborts, the program and its children are told to end, then killed; the reason of the signal is thrown.
 */
export const runCommand: RunCommand = async (argv, options) => {
  const { signal, timeoutMs, onLine } = options;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  limit.throwIfAborted();
  // A group of its own, so that its children can be ended with it.
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
      // The group is gone already.
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

/** The id of this process, for marks on what it makes. */
export function ownPid(): number {
  return process.pid;
}

/** True if there is a process of that id, of whatever user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
