import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noteIn, type Unfinished, unfinishedHint, unfinishedText } from './unfinished.ts';

const one: Unfinished = {
  ...{ kind: 'protect', name: '1-2.json', place: '/home/ann/p', container: undefined },
  isThere: true,
};

test('a note of each kind names its workspace, and one that cannot be read its own file', () => {
  const notes = [
    { root: '/w' },
    { workspace: '/w', sources: ['/s', '/w'], container: 'coi-w-1' },
    { sources: ['/w', '/s'], container: 'coi-w-1' },
  ];
  for (const note of notes) assert.equal(noteIn(JSON.stringify(note)).place, '/w');
  for (const text of [undefined, '', 'null', '{"root":1}', '{"sources":"/w"}'])
    assert.equal(noteIn(text).place, undefined, text);
  assert.match(
    unfinishedText([{ ...one, place: undefined }])[0] ?? '',
    /^\/var\/lib\/coi\/protect\/1-2\.json \(its protected files/,
  );
});

test('each is named once, with what is left to do, and only some of many', () => {
  assert.deepEqual(unfinishedText([one, { ...one, name: '3-4.json' }]), [
    '"/home/ann/p" (its protected files still have the guard)',
  ]);
  const gone = { ...one, kind: 'set-id', container: 'coi-p-1', isThere: false } as const;
  assert.match(unfinishedText([gone])[0] ?? '', /^"\/home\/ann\/p" of coi-p-1 \(.*not there any/);
  const many = Array.from({ length: 9 }, (_, at) => ({ ...one, place: `/w/${at}` }));
  assert.equal(unfinishedText(many).at(-1), '5 more');
});

test('the way on is told', () => {
  assert.match(unfinishedHint([one]), /^See `coi daemon logs`.*--force leaves them/);
  assert.match(unfinishedHint([{ ...one, isThere: false }]), /^Put what was moved/);
});
