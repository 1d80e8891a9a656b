import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AclEntry, aclBytes, aclEntries, keepingRights } from './posix-acl.ts';

test('a list is read as it was written, in the order of the kernel', () => {
  const entries: AclEntry[] = [
    { tag: 'owner', permissions: 6 },
    { tag: 'user', permissions: 6, id: 1003 },
    { tag: 'owning-group', permissions: 4 },
    { tag: 'mask', permissions: 6 },
    { tag: 'other', permissions: 4 },
  ];
  assert.deepEqual(aclEntries(aclBytes(entries.toReversed())), entries);
  assert.equal(
    aclBytes(entries).toString('hex'),
    '020000000100' + '0600ffffffff02000600eb03000004000400ffffffff10000600ffffffff20000400ffffffff',
  );
  assert.deepEqual(aclEntries(Buffer.from('x')), []);
});

test('the former owner keeps its rights, and no group or other gains any', () => {
  assert.deepEqual(aclEntries(aclBytes(keepingRights(0o640, [], 1003))), [
    { tag: 'owner', permissions: 6 },
    { tag: 'user', permissions: 6, id: 1003 },
    { tag: 'owning-group', permissions: 4 },
    { tag: 'mask', permissions: 6 },
    { tag: 'other', permissions: 0 },
  ]);
  const before: AclEntry[] = [
    { tag: 'owner', permissions: 6 },
    { tag: 'user', permissions: 7, id: 7 },
    { tag: 'owning-group', permissions: 6 },
    { tag: 'mask', permissions: 4 },
    { tag: 'other', permissions: 0 },
  ];
  const kept = keepingRights(0o640, before, 1003);
  assert.deepEqual(kept.find(({ id }) => id === 7)?.permissions, 4);
  assert.deepEqual(kept.find(({ tag }) => tag === 'owning-group')?.permissions, 4);
  assert.deepEqual(kept.find(({ tag }) => tag === 'mask')?.permissions, 6);
});
