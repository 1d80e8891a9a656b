// The beginning of an id.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SessionId } from '../../names.ts';
import { meantId } from './session-by-id.ts';

const ids = ['abcd1234-1', 'abcd1234-2', 'abcd', 'eeee0000'] as SessionId[];
const meant = (text: string) => meantId(text as SessionId, ids);

it('means the only session that begins so', () => {
  assert.equal(meant('eeee'), 'eeee0000');
  assert.equal(meant('abcd'), 'abcd', 'the whole id of one, though others begin so');
  assert.equal(meant('ffff'), 'ffff', 'whoever looks for it says that there is none');
  assert.equal(meant('eee'), 'eee', 'too little');
  assert.throws(() => meant('abcd1'), /2 saved sessions begin with 'abcd1'/);
});
