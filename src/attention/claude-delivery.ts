// Finds out whether a message has reached Claude Code, and whether the turn that it began has ended, from the lines that
// were added to the transcript since. Pure.
import type { IdleReason } from './activity.ts';
import {
  blocksOf,
  isInterruption,
  lastText,
  type TranscriptLine,
  transcriptLines,
} from './claude-lines.ts';

export interface Delivery {
  /** `queued`: Claude Code holds the message until it has time for it. `cancelled`: it went back to the input box. */
  readonly state: 'none' | 'queued' | 'cancelled' | 'delivered';
  /** Something else was sent with it, such as text that was in the input box. */
  readonly hasMore: boolean;
  /** How the turn ended that the message began or joined; undefined while it goes on. */
  readonly end: Exclude<IdleReason, 'fresh'> | undefined;
  /** The agent's last words since then. */
  readonly words: string | undefined;
}

/** `added`: the part of the transcript since the message was sent. `message`: undefined to look for the end of any turn. */
export function readDelivery(added: string, message: string | undefined): Delivery {
  const wanted = message === undefined ? undefined : normal(message);
  let state: Delivery['state'] = wanted === undefined ? 'delivered' : 'none';
  let hasMore = false;
  let end: Delivery['end'];
  let words: string | undefined;
  for (const line of transcriptLines(added)) {
    if (wanted !== undefined && state !== 'delivered') {
      const match = matchOf(line, wanted);
      if (match === undefined) continue;
      ({ state } = match);
      hasMore ||= match.hasMore;
      if (match.isLocal) end = 'finished';
      continue;
    }
    const text = lastText(blocksOf(line));
    if (line.type === 'assistant') {
      words = text ?? words;
      end = turnEnd(line);
    } else if (line.type === 'user' && line.isMeta !== true) {
      end = text !== undefined && isInterruption(text) ? 'interrupted' : undefined;
    }
  }
  return { state, hasMore, end, words };
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
  const pasted = /^<pasted_content\b[^>]*>(.*)<\/pasted_content\b[^>]*>$/s.exec(text)?.[1];
  if (pasted !== undefined && normal(pasted) === wanted) return { state, hasMore: false };
  return text.includes(wanted) ? { state, hasMore: true } : undefined;
}

/** Commands as the user typed them: `/name arguments` and `!shell command`. */
function asTyped(content: string): string {
  const part = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(content)?.[1];
  const shell = part('bash-input');
  if (shell !== undefined) return `!${shell}`;
  const command = part('command-name');
  return command === undefined ? content : `${command} ${part('command-args') ?? ''}`;
}

/** Claude Code may change line ends and white space. */
function normal(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim();
}
