// What a program of the user's host prints: its own git, or a command of the user's configuration.
import { type Environment, runProgramNow } from './program.ts';

const outputMaxBytes = 2 ** 20;

export interface AskedProgram {
  readonly timeoutMs: number;
  /** `/` where not given: a repository there must have no say. */
  readonly cwd?: string;
  /** That of this process where not given. */
  readonly env?: Environment;
}

/** The output without the newlines at its end; undefined if it could not be run, failed, or took too long. */
export function answerOf(
  argv: readonly string[],
  { cwd = '/', env, timeoutMs }: AskedProgram,
): string | undefined {
  const options = { cwd, env, limitMs: timeoutMs, maxBytes: outputMaxBytes };
  const { status, failure, stdout } = runProgramNow(argv, options);
  // One that was told to end may still say that all went well.
  if (failure !== undefined || status !== 0) return undefined;
  return stdout.toString('utf8').replace(/\n+$/, '');
}
