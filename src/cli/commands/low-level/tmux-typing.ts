// What `coi tmux send` types.
import { CoiError } from '../../../errors.ts';
import { keyWords, parseKey } from '../../../session/terminal/tmux-keys.ts';

/** What is typed, and how tmux.sh is to do it. */
export interface Typing {
  readonly verb: 'text' | 'lines' | 'keys';
  readonly input: string;
  readonly raw: boolean;
}

export function typing(text: string | undefined, { key, raw = false }: SendOptions): Typing {
  if (key !== undefined && text !== undefined)
    throw new CoiError('usage', 'a text and --key exclude each other', {
      hint: 'Call it twice.',
    });
  if (key !== undefined) return { verb: 'keys', input: keyWords(key.map(parseKey)), raw };
  if (text === undefined)
    throw new CoiError('usage', 'there is nothing to send', {
      hint: "Give a text ('' is only Enter) or --key.",
    });
  return { verb: text.includes('\n') ? 'lines' : 'text', input: text, raw };
}

export interface SendOptions {
  readonly key?: readonly string[];
  readonly raw?: boolean;
  readonly json?: boolean;
}
