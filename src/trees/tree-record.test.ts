// The record of an own tree.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { WorkspacePath } from '../names.ts';
import { parseTreeRecord, type TreeRecord, treeRecordText } from './tree-record.ts';

const record: TreeRecord = {
  name: 'fix-login-0a1b2c',
  branch: 'fix/login',
  repository: '/home/ada/shop' as WorkspacePath,
  base: 'a'.repeat(40),
  from: 'main',
  created: new Date('2026-12-01T09:00:00Z'),
  capture: undefined,
  counts: undefined,
  landing: undefined,
  carried: [],
};

it('a record is read as it was written', () => {
  const capture = 'b'.repeat(40);
  const counts = { files: 1, added: 2, removed: 0 };
  const landing = { capture, commit: 'c'.repeat(40) };
  for (const one of [
    record,
    { ...record, from: undefined, capture, counts, landing, carried: ['.env'] },
    { ...record, capture, landing: { capture, commit: undefined } },
  ])
    assert.deepEqual(parseTreeRecord(treeRecordText(one)), one);
});

it('what is no record, of another version, or has no object ids, is none', () => {
  const text = treeRecordText(record);
  for (const other of [
    '',
    'null',
    '[]',
    text.slice(1),
    text.replace('"version": 1', '"version": 2'),
    text.replace('a'.repeat(40), '--output=/etc/passwd'),
    text.replace('/home/ada/shop', 'shop'),
    text.replace('2026-12-01', 'now'),
  ])
    assert.equal(parseTreeRecord(other), undefined, other);
});
