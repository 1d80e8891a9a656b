import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { leadsThrough, readNamed, refuseLedOut } from './read-within.ts';

let top: string;
const at = (name: string) => join(top, name);
const read = (name: string) =>
  readNamed(at(name), { writable: () => [[at('ws')]] }, { maxBytes: 100 })?.text;

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'coit-within-')));
  for (const name of ['ws', 'ws/sub', 'private']) mkdirSync(at(name));
  writeFileSync(at('ws/sub/file'), 'in the workspace');
  writeFileSync(at('private/key'), 'secret');
});
afterEach(() => rmSync(top, { recursive: true }));

test('a file that is named in the workspace and leads out of it is not read; links of the user are followed', () => {
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
  // The control: nobody writes in there.
  assert.equal(
    readNamed(at('ws/planted'), { writable: () => [] }, { maxBytes: 100 })?.text,
    'secret',
  );
});

test('a way leads through a directory if any part of it is there, also by links and back out', () => {
  symlinkSync('ws', at('linked'));
  symlinkSync('../../private/key', at('ws/sub/out'));
  symlinkSync('round', at('round'));
  const through = (name: string) => leadsThrough(at(name), [at('ws')]);
  for (const name of ['ws', 'ws/sub/file', 'linked/x', 'ws/sub/out', 'round'])
    assert.ok(through(name), name);
  for (const name of ['private/key', 'missing/x', 'private/../private'])
    assert.ok(!through(name), name);
});

test("a link of one agent leads to none of another's directories; the user's own and those of one agent's go on", () => {
  for (const name of ['other', 'mount', 'ws/sub/deep']) mkdirSync(at(name));
  for (const name of ['other/key', 'mount/data', 'ws/sub/deep/file']) writeFileSync(at(name), '');
  symlinkSync(at('other'), at('ws/planted'));
  symlinkSync(at('mount'), at('ws/mounted'));
  symlinkSync('../file', at('ws/sub/deep/up'));
  symlinkSync(at('ws'), at('mine'));
  const groups = [[at('ws'), at('mount')], [at('other')], [at('ws/sub/deep')]];
  const led = (name: string, opened: string, shown: string[] = []) =>
    refuseLedOut(at(name), at(opened), { writable: () => groups, shown });
  assert.throws(() => led('ws/planted/key', 'other/key'), {
    reason: 'link',
    message: new RegExp(`: "${at('ws/planted')}" leads to "${at('other/key')}"$`),
  });
  // From inside of another one's, and as a whole.
  assert.throws(() => led('ws/sub/deep/up', 'ws/sub/file'), { reason: 'link' });
  assert.throws(() => led('ws/planted', 'other'), { reason: 'link' });
  // Exchanged again by the time it is looked at: what was opened counts.
  assert.throws(() => led('mine/sub/file', 'private/key'), { reason: 'link' });
  led('mine/sub/file', 'ws/sub/file');
  led('ws/mounted/data', 'mount/data');
  led('mine/sub/deep/file', 'ws/sub/deep/file');
  // Who receives it has it already.
  led('ws/planted/key', 'other/key', [at('other')]);
  assert.throws(() => led('ws/planted/key', 'other/key', [at('private')]), { reason: 'link' });
});

test('nobody is asked what agents write where no link had a part', () => {
  refuseLedOut(at('ws/sub/file'), at('ws/sub/file'), {
    writable: () => assert.fail('it was asked'),
  });
});
