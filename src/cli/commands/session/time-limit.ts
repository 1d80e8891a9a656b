// The option --timeout of commands that wait for an agent or a command.
import type { TimeLimit } from '../../../app/run-command/time-limit.ts';
import { parseDurationMs } from '../../../config/keys/values.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';

/** A number means seconds. Throws `usage`. */
export function parseTimeLimit(text: string | undefined): TimeLimit | undefined {
  if (text === undefined) return undefined;
  const isSeconds = /^\d+$/.test(text);
  const ms = isSeconds ? Number(text) * 1000 : parseDurationMs(text);
  if (ms !== undefined && ms > 0 && ms < 2 ** 31)
    return { ms, text: isSeconds ? `${text} s` : text };
  throw new CoiError('usage', `invalid --timeout ${quoted(text)}`, {
    hint: 'Use seconds, or a duration such as 10m.',
  });
}
