// Parses the prompt of `coi run`.
import type { PromptSource } from '../../../app/run-command/prompt.ts';
import { CoiError } from '../../../errors.ts';
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
