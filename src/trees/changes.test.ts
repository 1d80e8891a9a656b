// Output of git diff-tree.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { countChanges, parseChanges } from './changes.ts';

const raw = (before: string, after: string, status: string, ...paths: readonly string[]) =>
  [`:${before} ${after} 1111111 2222222 ${status}`, ...paths, ''].join('\0');

it('all kinds of changes are read, with their lines', () => {
  const output = [
    raw('100644', '100644', 'M', 'a.txt'),
    raw('000000', '100755', 'A', 'new\nline\tname'),
    raw('100644', '000000', 'D', 'gone'),
    raw('100644', '100644', 'R087', 'old', 'dir/new'),
    raw('100644', '120000', 'T', 'link'),
    raw('100644', '100644', 'M', 'picture.png'),
    '1\t2\ta.txt\0',
    '3\t0\tnew\nline\tname\0',
    '0\t4\tgone\0',
    '1\t1\t\0old\0dir/new\0',
    '1\t1\tlink\0',
    '-\t-\tpicture.png\0',
  ].join('');
  const changes = parseChanges(output);
  assert.deepEqual(
    changes.map(({ kind, path, from, added, removed }) => [kind, path, from, added, removed]),
    [
      ['modified', 'a.txt', undefined, 1, 2],
      ['added', 'new\nline\tname', undefined, 3, 0],
      ['deleted', 'gone', undefined, 0, 4],
      ['renamed', 'dir/new', 'old', 1, 1],
      ['type', 'link', undefined, 1, 1],
      ['modified', 'picture.png', undefined, undefined, undefined],
    ],
  );
  assert.deepEqual(changes[1]?.modes, ['000000', '100755']);
  assert.deepEqual(countChanges(changes), { files: 6, added: 6, removed: 8 });
});

it('no output is no change, and output that is cut off is an error', () => {
  assert.deepEqual(parseChanges(''), []);
  const whole = `${raw('100644', '100644', 'M', 'a')}1\t1\ta\0`;
  for (let end = 1; end < whole.length; end += 1) {
    const cut = whole.slice(0, end);
    if (cut.endsWith('\0') && !cut.endsWith('M\0')) continue;
    assert.throws(() => parseChanges(cut), /git diff-tree/, JSON.stringify(cut));
  }
});
