// Selection by an id prefix.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SessionId } from '../../names.ts';
import { expandSessionId } from './expand-session-id.ts';

const ids = ['abcd1234-1', 'abcd1234-2', 'abcd', 'eeee0000'] as SessionId[];
const selected = (text: string) => expandSessionId(text as SessionId, ids);

it('a prefix selects the only session that begins with it', () => {
  assert.equal(selected('eeee'), 'eeee0000');
  assert.equal(selected('abcd'), 'abcd', 'a full id, though others start with it');
  assert.equal(selected('ffff'), 'ffff', 'an unknown id, which the lookup reports');
  assert.equal(selected('eee'), 'eee', 'too short');
  assert.throws(() => selected('abcd1'), /2 saved sessions begin with 'abcd1'/);
});
