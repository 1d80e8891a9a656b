import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  containerName,
  parseAlias,
  parseContainerName,
  parseSessionId,
  parseSlot,
  plainOrQuoted,
  quoted,
  type Slot,
  type WorkspacePath,
  workspaceHash,
} from './names.ts';

test("the container name is the predecessor's: prefix, 8 hex digits of the path's SHA-256, slot", () => {
  assert.equal(workspaceHash('/home/user/project' as WorkspacePath), '9dad1e4e');
  assert.equal(
    containerName('coi-', workspaceHash('/home/user/project' as WorkspacePath), 3 as Slot),
    'coi-9dad1e4e-3',
  );
});

test('hostile names are refused before they reach a path or a URL', () => {
  for (const text of ['../x', 'a/b', 'a\nb', '-flag', '', 'a'.repeat(300), '$(id)', 'a b', '.']) {
    assert.throws(() => parseContainerName(text), { code: 'usage' });
    assert.throws(() => parseAlias(text), { code: 'alias-invalid' });
    assert.throws(() => parseSessionId(text), { code: 'usage' });
  }
  for (const text of ['0', '100', '-1', '1.5', '1e1', '', 'x', ' 1'])
    assert.throws(() => parseSlot(text), { code: 'usage' });
  assert.equal(parseSlot('10'), 10);
});

test('a quoted text has no control characters and a limited length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      assert.doesNotMatch(quoted(text), /[\u0000-\u001f\u007f-\u009f]/);
    }),
  );
  assert.ok(quoted('x'.repeat(300)).length <= 82);
});

test('an untrusted name is printed plainly if it is plain, otherwise quoted', () => {
  for (const name of ['a', 'mounts.default[0].host', 'A_b-c'])
    assert.equal(plainOrQuoted(name), name);
  for (const name of ['', 'a b', 'a\nb', 'a\u001b[8m', "'", 'x'.repeat(300)])
    assert.match(plainOrQuoted(name), /^"[\x20-\x7e]{0,82}"$/);
});
