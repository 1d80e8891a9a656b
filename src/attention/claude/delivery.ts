// Finds out whether a message has reached Claude Code, and whether the turn that it began has ended, from the lines that
// were added to the transcript since. Pure.
import type { IdleReason } from '../activity.ts';
import {
  blocksOf,
  isInterruption,
  isPrompt,
  lastText,
  type TranscriptLine,
  transcriptLines,
} from './lines.ts';

export interface Delivery {
  /** `queued`: Claude Code holds the message until it has time for it. `cancelled`: it went back to the input box. */
  readonly state: 'none' | 'queued' | 'cancelled' | 'delivered';
  /** Something else was sent with it, such as text that was in the input box. */
  readonly hasMore: boolean;
  /** How the turn ended that the message began or joined; undefined while it goes on. */
  readonly end: Exclude<IdleReason, 'fresh'> | undefined;
  /** The turn has ended, and another has begun. */
  readonly isOver: boolean;
  /** It was a command of the agent itself, which begins no turn. */
  readonly isLocal: boolean;
  /** The agent's last words in that turn. */
  readonly words: string | undefined;
}

/**
 * What to look for: a message, or the end of any turn that began before the mark (`turn`) or, because the message was
 * queued then, after it (`queued-turn`).
 */
export type Wanted =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'turn' | 'queued-turn' };

/** `added`: the part of the transcript since the message was sent. */
export function readDelivery(added: string, wanted: Wanted): Delivery {
  const matches = matcher(wanted);
  let state: Delivery['state'] = wanted.kind === 'turn' ? 'delivered' : 'none';
  let hasMore = false;
  let isLocal = false;
  let end: Delivery['end'];
  let words: string | undefined;
  for (const line of transcriptLines(added)) {
    if (state !== 'delivered') {
      const match = matches(line);
      if (match === undefined) continue;
      ({ state } = match);
      hasMore ||= match.hasMore;
      isLocal ||= match.isLocal ?? false;
      if (isLocal) end = 'finished';
      continue;
    }
    const text = lastText(blocksOf(line));
    if (line.type === 'assistant') {
      words = text ?? words;
      end = turnEnd(line);
    } else if (text !== undefined && isInterruption(text)) {
      end = 'interrupted';
    } else if (isPrompt(line) && end !== undefined) {
      return { state, hasMore, isLocal, end, isOver: true, words };
    }
  }
  return { state, hasMore, isLocal, end, isOver: false, words };
}

function matcher(wanted: Wanted): (line: TranscriptLine) => Match | undefined {
  if (wanted.kind !== 'message')
    return (line) =>
      isPrompt(line) || line.attachment?.type === 'queued_command'
        ? { state: 'delivered', hasMore: false }
        : undefined;
  const text = normal(wanted.text);
  return (line) => matchOf(line, text);
}

/** Undefined if more follows in this turn. */
function turnEnd({ isApiErrorMessage, message }: TranscriptLine): Delivery['end'] {
  if (isApiErrorMessage === true) return 'failed';
  const reason = message?.stop_reason;
  return typeof reason === 'string' && reason !== 'tool_use' && reason !== 'pause_turn'
    ? 'finished'
    : undefined;
}

interface Match {
  readonly state: Delivery['state'];
  readonly hasMore: boolean;
  /** A command of Claude Code itself, which begins no turn. */
  readonly isLocal?: boolean;
}

/** What a line says about the message; undefined if it is about something else. */
function matchOf(line: TranscriptLine, wanted: string): Match | undefined {
  switch (line.type) {
    case 'queue-operation':
      if (line.operation === 'enqueue') return textMatch(line.content, wanted, 'queued');
      // The user took the queue back into the input box.
      if (line.operation === 'popAll') return textMatch(line.content, wanted, 'cancelled');
      return undefined;
    case 'attachment':
      return line.attachment?.type === 'queued_command'
        ? textMatch(line.attachment.prompt, wanted, 'delivered')
        : undefined;
    case 'user':
      return textMatch(lastText(blocksOf(line)), wanted, 'delivered');
    case 'system': {
      const match = textMatch(line.content, wanted, 'delivered');
      return line.subtype === 'local_command' && match ? { ...match, isLocal: true } : undefined;
    }
    default:
      return undefined;
  }
}

function textMatch(content: unknown, wanted: string, state: Delivery['state']): Match | undefined {
  if (typeof content !== 'string') return undefined;
  const text = normal(asTyped(content));
  if (text === wanted) return { state, hasMore: false };
  // Claude Code marks long texts as pasted.
  if (text.startsWith('<pasted_content') && withoutMarks(text) === wanted)
    return { state, hasMore: false };
  // Claude Code completes the names of its commands.
  return text.includes(wanted) ? { state, hasMore: !wanted.startsWith('/') } : undefined;
}

/** The text between the first and the last mark. No patterns: the text may be long and made to be slow. */
function withoutMarks(text: string): string {
  const begin = text.indexOf('>') + 1;
  return text.slice(begin, Math.max(begin, text.lastIndexOf('</pasted_content'))).trim();
}

/** Commands as the user typed them: `/name arguments` and `!shell command`. */
function asTyped(content: string): string {
  const shell = elementText(content, 'bash-input');
  if (shell !== undefined) return `!${shell}`;
  const command = elementText(content, 'command-name');
  return command === undefined
    ? content
    : `${command} ${elementText(content, 'command-args') ?? ''}`;
}

function elementText(content: string, name: string): string | undefined {
  const begin = content.indexOf(`<${name}>`);
  const end = begin < 0 ? -1 : content.indexOf(`</${name}>`, begin);
  return end < 0 ? undefined : content.slice(begin + name.length + 2, end);
}

/** Claude Code may change line ends and white space, and drops characters that cannot be seen. */
function normal(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\p{Cf}+/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
}
