// Reads the end of a Codex conversation (rollout-*.jsonl). Seen in Codex 0.171. Pure.
import { fieldsOf, textOf } from '../fields.ts';
import { timedLines } from './lines.ts';
import type { Turn } from './turn.ts';

/** `tail`: the last part of the file. */
export function readCodexTurn(tail: string): Turn {
  let turn: Turn = {};
  for (const { fields, ms } of timedLines(tail)) {
    const payload = fieldsOf(fields['payload']);
    switch (payload['type']) {
      case 'task_started':
        turn = { startedMs: ms };
        break;
      case 'task_complete': {
        const hasFailed = typeof payload['error'] === 'object' && payload['error'] !== null;
        const said = textOf(payload['last_agent_message']) || undefined;
        turn = { ...turn, ended: { ms, end: hasFailed ? 'failed' : 'finished', said } };
        break;
      }
      case 'turn_aborted':
        turn = { ...turn, ended: { ms, end: 'interrupted' } };
        break;
      case 'function_call_output':
      case 'custom_tool_call_output':
        turn = { ...turn, resultMs: ms };
        break;
    }
  }
  return turn;
}
