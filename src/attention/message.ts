// The text of a message to an agent. Pure.
import { CoiError } from '../errors.ts';

/** More is better given as a file in the workspace. */
export const messageMaxBytes = 256 * 1024;

/**
 * Control characters except newline and tab: an escape sequence could end the paste, and the rest would be keys. Marks of
 * direction and tag characters: Claude Code removes them at the first Enter, and sends the message only at the second.
 */
const unsendable = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\p{Bidi_Control}\u{e0000}-\u{e007f}]/gu;

export interface Message {
  readonly text: string;
  /** How many control and invisible characters were left out. */
  readonly removed: number;
}

/** Without control and invisible characters and trailing newlines. */
export function messageOf(given: string): Message {
  const lines = given.toWellFormed().replace(/\r\n?/g, '\n');
  const clean = lines.replace(unsendable, '');
  let end = clean.length;
  while (clean[end - 1] === '\n') end -= 1;
  return { text: clean.slice(0, end), removed: lines.match(unsendable)?.length ?? 0 };
}

/** Throws `usage` for a message that is empty or too long. */
export function checkedMessage(given: string): Message {
  const message = messageOf(given);
  if (message.text.trim() === '')
    throw new CoiError('usage', 'the message is empty', { hint: 'Give a text.' });
  if (Buffer.byteLength(message.text) > messageMaxBytes) throw tooLong();
  return message;
}

export function tooLong(): CoiError {
  return new CoiError('usage', `the message is longer than ${messageMaxBytes / 1024} KiB`, {
    hint: 'Put it into a file in the workspace, and send the path.',
  });
}
