import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idLinesText, parseIdLines, singleIds, withoutLine } from './id-lines.ts';

const line = { path: '/etc/subuid', line: 'root:1000:1' };

test('recorded id lines are read back, and nothing else', () => {
  assert.deepEqual(parseIdLines(idLinesText([line])), [line]);
  for (const text of [undefined, '', '{', 'null', '{"lines":[null]}', '{"lines":[{"path":1}]}'])
    assert.deepEqual(parseIdLines(text), [], text);
});

test('one line is removed, and only once', () => {
  const text = 'ann:1:2\nroot:1000:1\nroot:1000:1\nroot:1000:10\n';
  const once = withoutLine(text, line.line);
  assert.equal(once, 'ann:1:2\nroot:1000:1\nroot:1000:10\n');
  assert.equal(withoutLine(withoutLine(once, line.line), line.line), 'ann:1:2\nroot:1000:10\n');
});

test('single ids of root that are not recorded are reported', () => {
  const text = 'root:1000:1\nroot:1001:1\nroot:100000:65536\nann:1000:1\nroot:0:1\n';
  assert.deepEqual(singleIds(line.path, text, [line]), [{ ...line, line: 'root:1001:1' }]);
});
