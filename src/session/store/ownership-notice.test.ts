import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whoseFiles } from './ownership-notice.ts';

const mount = (name: string, kind: 'idmapped' | 'plain', fileSystem?: string) => ({
  name,
  kind,
  fileSystem,
});

test("nothing is said where the agent's files are the user's by an idmapped mount", () => {
  assert.deepEqual(whoseFiles({ ownerUid: 1003, mounts: [mount('workspace', 'idmapped')] }), []);
});

test('root is told that the files will belong to root', () => {
  const [line, ...more] = whoseFiles({ ownerUid: 0, mounts: [mount('workspace', 'idmapped')] });
  assert.match(line ?? '', /belongs to root/);
  assert.deepEqual(more, []);
});

test('a file system that cannot be idmapped is named with what follows from it', () => {
  const mounts = [mount('workspace', 'plain', 'fuse.sshfs'), mount('state-0', 'idmapped')];
  assert.deepEqual(whoseFiles({ ownerUid: 1003, mounts }), [
    'No ids can be mapped on the file system of workspace (fuse.sshfs): the agent runs as uid 1003 of this host',
  ]);
  assert.match(whoseFiles({ ownerUid: 0, mounts })[1] ?? '', /cannot write there/);
});
