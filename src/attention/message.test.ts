// Messages to agents.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { messageOf } from './message.ts';

it('a message cannot end its own paste: control characters are left out and counted', () => {
  const message = messageOf('one\u001b[201~\rtwo\u0003\tthree\n\n');
  assert.deepEqual(message, { text: 'one[201~\ntwo\tthree', removed: 2 });
});

it('marks of direction and tag characters, which Claude Code would ask about, are left out', () => {
  const message = messageOf('a\u202eb\u200ec\u2066d\u{e0041}e');
  assert.deepEqual(message, { text: 'abcde', removed: 4 });
  const kept = 'soft\u00ad zero\u200b \u{1f468}\u200d\u{1f469} \ufeff';
  assert.deepEqual(messageOf(kept), { text: kept, removed: 0 });
});

it('a message keeps its lines, spaces and characters', () => {
  const text = '  日本語\n\n#x "$(id)" \\';
  assert.deepEqual(messageOf(text), { text, removed: 0 });
});
