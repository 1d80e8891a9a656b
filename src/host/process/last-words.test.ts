// tmux's last words, however they come.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { lastWords } from './last-words.ts';

const exited = { kind: 'exited', status: 0 } as const;

function told(...chunks: string[]) {
  const last = lastWords(undefined);
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    assert.equal(last.filter(bytes), bytes, 'nothing is changed');
  }
  return last.told(exited);
}

it('tell detaching from an end', () => {
  assert.deepEqual(told('x'.repeat(10_000), '[detached (from session coi-a-1)]\r\n'), {
    ...exited,
    detached: true,
  });
  assert.deepEqual(told('[detached (from ', 'session coi-a-1)]', '\r\n'), {
    ...exited,
    detached: true,
  });
  assert.deepEqual(told('[detached (from session coi-a-1)]\r\n$ ', '[exited]\r\n'), {
    ...exited,
    detached: false,
  });
  assert.deepEqual(lastWords(undefined).told({ kind: 'interrupted' }), { kind: 'interrupted' });
});
