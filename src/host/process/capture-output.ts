// Captures the output of a host program, such as the user's git or a command from the user's configuration.
import { type Environment, runProgramSync } from './program.ts';

const outputMaxBytes = 2 ** 20;

export interface CaptureOptions {
  readonly timeoutMs: number;
  /** Default `/`, so that no repository affects the program. */
  readonly cwd?: string;
  /** Default: the environment of this process. */
  readonly env?: Environment;
}

/** The output without trailing newlines; undefined if the program could not be run, failed or took too long. */
export function captureOutput(
  argv: readonly string[],
  { cwd = '/', env, timeoutMs }: CaptureOptions,
): string | undefined {
  const options = { cwd, env, limitMs: timeoutMs, maxBytes: outputMaxBytes };
  const { status, failure, stdout } = runProgramSync(argv, options);
  // After a timeout the program may still exit with status 0.
  if (failure !== undefined || status !== 0) return undefined;
  return stdout.toString('utf8').replace(/\n+$/, '');
}
