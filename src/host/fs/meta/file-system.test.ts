import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { fileSystemAt, fileSystemOf, fuseProblemOf, innermostFileSystem } from './file-system.ts';

const table = [
  '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard',
  '46 27 0:48 / /home/a\\040b rw,nosuid shared:9 master:1 - fuse.sshfs me@there: rw,user_id=1001',
  '47 27 0:49 / /home rw - nfs4 there:/home rw,vers=4.2',
  '48 47 0:50 / /home rw - tmpfs tmpfs rw',
  '',
];

test('a path belongs to the innermost mount above it, the last of several', () => {
  const type = (path: string) => innermostFileSystem(table, path)?.type;
  assert.deepEqual(['/home/a b/c', '/home/a b', '/home/a bc', '/home', '/homes', '/'].map(type), [
    ...['fuse.sshfs', 'fuse.sshfs', 'tmpfs', 'tmpfs', 'ext4', 'ext4'],
  ]);
  assert.deepEqual(innermostFileSystem(table, '/home/a b/c'), {
    type: 'fuse.sshfs',
    mountPoint: '/home/a b',
    options: ['rw', 'user_id=1001'],
  });
});

test('an open descriptor and its path report the same file system', () => {
  const fd = openSync('/proc/self', 'r');
  try {
    assert.deepEqual(fileSystemOf(fd)?.type, 'proc');
    assert.deepEqual(fileSystemOf(fd), fileSystemAt('/proc/self'));
  } finally {
    closeSync(fd);
  }
  assert.equal(fileSystemOf(-1), undefined);
});

test('only FUSE without allow_other denies access to root', () => {
  const sshfs = { type: 'fuse.sshfs', options: ['rw', 'user_id=1001'] };
  assert.deepEqual(fuseProblemOf(sshfs, 'EACCES'), {
    fileSystem: 'fuse.sshfs',
    lacks: 'allow_other',
  });
  assert.equal(fuseProblemOf({ ...sshfs, options: ['allow_other'] }, 'EACCES'), undefined);
  assert.deepEqual(fuseProblemOf({ ...sshfs, options: ['allow_other'] }, 'ENOTCONN'), {
    fileSystem: 'fuse.sshfs',
    lacks: 'program',
  });
  for (const type of ['ext4', 'nfs4', 'fusectl', '9p'])
    assert.equal(fuseProblemOf({ type, options: [] }, 'EACCES'), undefined);
});
