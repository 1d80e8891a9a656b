// The input that `coi tmux send` types.
import { CoiError } from '../../../errors.ts';
import { keyWords, parseKey } from '../../../session/terminal/tmux-keys.ts';

/** The input, and the mode in which tmux.sh types it. */
export interface Typing {
  readonly verb: 'text' | 'lines' | 'keys';
  readonly input: string;
  readonly raw: boolean;
}

export function parseTyping(text: string | undefined, { key, raw = false }: SendOptions): Typing {
  if (key !== undefined && text !== undefined)
    throw new CoiError('usage', 'a text and --key cannot be combined', {
      hint: 'Run the command twice.',
    });
  if (key !== undefined) return { verb: 'keys', input: keyWords(key.map(parseKey)), raw };
  if (text === undefined)
    throw new CoiError('usage', 'nothing to send', {
      hint: "Give a text ('' presses only Enter) or --key.",
    });
  return { verb: text.includes('\n') ? 'lines' : 'text', input: text, raw };
}

export interface SendOptions {
  readonly key?: readonly string[];
  readonly raw?: boolean;
  readonly json?: boolean;
}
