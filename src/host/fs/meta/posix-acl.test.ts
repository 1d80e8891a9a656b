import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AclEntry, aclKeepingRights, decodeAcl, encodeAcl } from './posix-acl.ts';

test("an ACL is parsed as written, in the kernel's order", () => {
  const entries: AclEntry[] = [
    { tag: 'owner', permissions: 6 },
    { tag: 'user', permissions: 6, id: 1003 },
    { tag: 'owning-group', permissions: 4 },
    { tag: 'mask', permissions: 6 },
    { tag: 'other', permissions: 4 },
  ];
  assert.deepEqual(decodeAcl(encodeAcl(entries.toReversed())), entries);
  assert.equal(
    encodeAcl(entries).toString('hex'),
    '020000000100' + '0600ffffffff02000600eb03000004000400ffffffff10000600ffffffff20000400ffffffff',
  );
  assert.deepEqual(decodeAcl(Buffer.from('x')), []);
});

test('the former owner keeps its rights, and no group or other user gains any', () => {
  assert.deepEqual(decodeAcl(encodeAcl(aclKeepingRights(0o640, [], 1003))), [
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
  const kept = aclKeepingRights(0o640, before, 1003);
  assert.deepEqual(kept.find(({ id }) => id === 7)?.permissions, 4);
  assert.deepEqual(kept.find(({ tag }) => tag === 'owning-group')?.permissions, 4);
  assert.deepEqual(kept.find(({ tag }) => tag === 'mask')?.permissions, 6);
});
