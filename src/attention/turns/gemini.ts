// Reads the end of a Gemini CLI conversation (chats/session-*.jsonl). It has no hook for a turn that is interrupted in a dialog,
// and does not tell its hooks that a turn has failed. Seen in Gemini CLI 0.61. Pure.
import { textOf } from '../fields.ts';
import { timedLines } from './lines.ts';
import type { Turn } from './turn.ts';

/**
 * `tail`: the last part of the file. The end stays when the next turn begins, which only the hook tells: after an interruption
 * the whole conversation is written once more, with new times.
 */
export function readGeminiTurn(tail: string): Turn {
  let turn: Turn = {};
  for (const { fields, ms } of timedLines(tail)) {
    switch (fields['type']) {
      case 'gemini':
        // It tried again.
        if (turn.ended?.end === 'failed') turn = {};
        break;
      case 'error':
        turn = { ended: { ms, end: 'failed' } };
        break;
      case 'info':
        if (textOf(fields['content']) === 'Request cancelled.')
          turn = { ended: { ms, end: 'interrupted' } };
        break;
    }
  }
  return turn;
}
