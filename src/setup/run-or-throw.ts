// Runs a program on the host for a fix; the error contains the program's last output.
import { CoiError } from '../errors.ts';
import type { RunOptions, RunResult } from '../host/install/setup-host.ts';
import type { CheckContext } from './check.ts';

const shownLines = 6;

/** Throws `setup-failed` with the last lines of its output when the program fails. */
export async function runOrThrow(
  context: CheckContext,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const result = await context.host.run(argv, { signal: context.signal, ...options });
  if (result.status === 0) return result.stdout;
  throw new CoiError('setup-failed', `\`${argv.join(' ')}\` ${describeFailure(result)}`);
}

export function describeFailure({ status, stdout, stderr }: RunResult): string {
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const last = lines.slice(-shownLines).map((line) => `\n    ${line.trim()}`);
  const how =
    status === 127
      ? 'is not installed'
      : status === 124
        ? 'took too long'
        : `failed with status ${status}`;
  return `${how}${last.join('')}`;
}
