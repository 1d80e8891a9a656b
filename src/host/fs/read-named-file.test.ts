import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { pathEnters, readNamedFile, refuseEscape } from './read-named-file.ts';

let top: string;
const at = (name: string) => join(top, name);
const read = (name: string) =>
  readNamedFile(at(name), { writable: () => [[at('ws')]] }, { maxBytes: 100 })?.text;

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'coit-within-')));
  for (const name of ['ws', 'ws/sub', 'private']) mkdirSync(at(name));
  writeFileSync(at('ws/sub/file'), 'in the workspace');
  writeFileSync(at('private/key'), 'secret');
});
afterEach(() => rmSync(top, { recursive: true }));

test("a file named in the workspace that leads out of it is not read; the user's links are followed", () => {
  symlinkSync('sub/file', at('ws/inner'));
  symlinkSync(at('private/key'), at('ws/planted'));
  symlinkSync(at('private'), at('ws/directory'));
  symlinkSync(at('ws/planted'), at('to-planted'));
  symlinkSync(at('private/key'), at('own'));
  symlinkSync(at('ws'), at('linked'));
  assert.equal(read('ws/sub/file'), 'in the workspace');
  assert.equal(read('ws/inner'), 'in the workspace');
  assert.equal(read('linked/inner'), 'in the workspace');
  assert.equal(read('own'), 'secret');
  assert.equal(read('ws/missing'), undefined);
  for (const name of ['ws/planted', 'ws/directory/key', 'to-planted', 'linked/planted'])
    assert.throws(() => read(name), { reason: 'link' });
  // Control: no agent writes there.
  assert.equal(
    readNamedFile(at('ws/planted'), { writable: () => [] }, { maxBytes: 100 })?.text,
    'secret',
  );
});

test('a path leads through a directory if any part of it does, even through links and back out', () => {
  symlinkSync('ws', at('linked'));
  symlinkSync('../../private/key', at('ws/sub/out'));
  symlinkSync('round', at('round'));
  const through = (name: string) => pathEnters(at(name), [at('ws')]);
  for (const name of ['ws', 'ws/sub/file', 'linked/x', 'ws/sub/out', 'round'])
    assert.ok(through(name), name);
  for (const name of ['private/key', 'missing/x', 'private/../private'])
    assert.ok(!through(name), name);
});

test("one agent's link may not lead into another agent's directories; the user's links may", () => {
  for (const name of ['other', 'mount', 'ws/sub/deep']) mkdirSync(at(name));
  for (const name of ['other/key', 'mount/data', 'ws/sub/deep/file']) writeFileSync(at(name), '');
  symlinkSync(at('other'), at('ws/planted'));
  symlinkSync(at('mount'), at('ws/mounted'));
  symlinkSync('../file', at('ws/sub/deep/up'));
  symlinkSync(at('ws'), at('mine'));
  const groups = [[at('ws'), at('mount')], [at('other')], [at('ws/sub/deep')]];
  const check = (name: string, opened: string, shown: string[] = []) =>
    refuseEscape(at(name), at(opened), { writable: () => groups, shown });
  assert.throws(() => check('ws/planted/key', 'other/key'), {
    reason: 'link',
    message: new RegExp(`: "${at('ws/planted')}" leads to "${at('other/key')}"$`),
  });
  // From a nested agent directory, and to a directory as a whole.
  assert.throws(() => check('ws/sub/deep/up', 'ws/sub/file'), { reason: 'link' });
  assert.throws(() => check('ws/planted', 'other'), { reason: 'link' });
  // Swapped back before the check: the opened file counts.
  assert.throws(() => check('mine/sub/file', 'private/key'), { reason: 'link' });
  check('mine/sub/file', 'ws/sub/file');
  check('ws/mounted/data', 'mount/data');
  check('mine/sub/deep/file', 'ws/sub/deep/file');
  // The receiver already sees it.
  check('ws/planted/key', 'other/key', [at('other')]);
  assert.throws(() => check('ws/planted/key', 'other/key', [at('private')]), { reason: 'link' });
});

test('directories that agents write are not looked up if no link was involved', () => {
  refuseEscape(at('ws/sub/file'), at('ws/sub/file'), {
    writable: () => assert.fail('it was computed'),
  });
});
