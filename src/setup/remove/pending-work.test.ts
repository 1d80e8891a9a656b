import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PendingWork, parseNote, pendingWorkHint, pendingWorkLines } from './pending-work.ts';

const one: PendingWork = {
  ...{ kind: 'protect', name: '1-2.json', directory: '/home/ann/p', container: undefined },
  exists: true,
};

test('each note names its workspace, and an unreadable one its own file', () => {
  const notes = [
    { root: '/w' },
    { workspace: '/w', sources: ['/s', '/w'], container: 'coi-w-1' },
    { sources: ['/w', '/s'], container: 'coi-w-1' },
  ];
  for (const note of notes) assert.equal(parseNote(JSON.stringify(note)).directory, '/w');
  for (const text of [undefined, '', 'null', '{"root":1}', '{"sources":"/w"}'])
    assert.equal(parseNote(text).directory, undefined, text);
  assert.match(
    pendingWorkLines([{ ...one, directory: undefined }])[0] ?? '',
    /^\/var\/lib\/coi\/protect\/1-2\.json \(its protected files/,
  );
});

test('each note is listed once with the remaining work, and long lists are cut', () => {
  assert.deepEqual(pendingWorkLines([one, { ...one, name: '3-4.json' }]), [
    '"/home/ann/p" (its protected files still have the guard)',
  ]);
  const removed = { ...one, kind: 'set-id', container: 'coi-p-1', exists: false } as const;
  assert.match(
    pendingWorkLines([removed])[0] ?? '',
    /^"\/home\/ann\/p" of coi-p-1 \(.*no longer exists/,
  );
  const many = Array.from({ length: 9 }, (_, at) => ({ ...one, directory: `/w/${at}` }));
  assert.equal(pendingWorkLines(many).at(-1), '5 more');
});

test('the next step is printed', () => {
  assert.match(pendingWorkHint([one]), /^See `coi daemon logs`.*--force leaves them/);
  assert.match(
    pendingWorkHint([{ ...one, exists: false }]),
    /^Move or mount the missing directories/,
  );
});
