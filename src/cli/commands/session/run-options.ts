// Parses the prompt and the time limit of `coi run`.
import type { TimeLimit } from '../../../app/run-command/execute.ts';
import type { PromptSource } from '../../../app/run-command/prompt.ts';
import { parseDurationMs } from '../../../config/keys/values.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { GlobalOptions } from '../../command-module.ts';

export interface RunOptions extends GlobalOptions {
  prompt?: string;
  promptFile?: string;
  promptName?: string;
  tool?: string;
  timeout?: string;
  json?: boolean;
  format?: string;
}

/** Throws `usage` for more than one prompt. */
export function parsePrompt({
  prompt,
  promptFile,
  promptName,
}: RunOptions): PromptSource | undefined {
  if ([prompt, promptFile, promptName].filter((one) => one !== undefined).length > 1)
    throw new CoiError('usage', '--prompt, --prompt-file and --prompt-name cannot be combined', {
      hint: 'Use one of them.',
    });
  if (prompt !== undefined) return { kind: 'text', text: prompt };
  if (promptFile !== undefined) return { kind: 'file', path: promptFile };
  return promptName === undefined ? undefined : { kind: 'name', name: promptName };
}

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
