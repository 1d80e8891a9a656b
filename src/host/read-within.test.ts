import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { leadsThrough, readNamed } from './read-within.ts';

let top: string;
const at = (name: string) => join(top, name);
const read = (name: string) => readNamed(at(name), [at('ws')], { maxBytes: 100 })?.text;

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
  assert.equal(readNamed(at('ws/planted'), [], { maxBytes: 100 })?.text, 'secret');
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
