// Messages to agents.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { messageOf } from './message.ts';

it('a message cannot end its own paste: control characters are left out and counted', () => {
  const message = messageOf('one\u001b[201~\rtwo\u0003\tthree\n\n');
  assert.deepEqual(message, { text: 'one[201~\ntwo\tthree', removed: 2 });
});

it('a message keeps its lines, spaces and characters', () => {
  const text = '  日本語\n\n#x "$(id)" \\';
  assert.deepEqual(messageOf(text), { text, removed: 0 });
});
