// What a program of the user's host prints: its own git, or a command of the user's configuration.
import { execFileSync } from 'node:child_process';

const outputMaxBytes = 2 ** 20;

export interface AskedProgram {
  readonly timeoutMs: number;
  /** `/` where not given: a repository there must have no say. */
  readonly cwd?: string;
  /** That of this process where not given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The output without the newlines at its end; undefined if it could not be run, failed, or took too long. */
export function answerOf(argv: readonly string[], options: AskedProgram): string | undefined {
  const [file = '', ...args] = argv;
  try {
    return execFileSync(file, args, {
      encoding: 'utf8',
      cwd: options.cwd ?? '/',
      ...(options.env ? { env: { ...options.env } } : {}),
      timeout: options.timeoutMs,
      maxBuffer: outputMaxBytes,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).replace(/\n+$/, '');
  } catch {
    return undefined;
  }
}
