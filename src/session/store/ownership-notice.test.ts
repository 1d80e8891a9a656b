import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownershipNotices } from './ownership-notice.ts';

const mount = (name: string, kind: 'idmapped' | 'plain', fileSystem?: string) => ({
  name,
  kind,
  fileSystem,
});

test("no notice is shown if an idmapped mount makes the agent's files the user's", () => {
  assert.deepEqual(
    ownershipNotices({ ownerUid: 1003, mounts: [mount('workspace', 'idmapped')] }),
    [],
  );
});

test('root is warned that the files will belong to root', () => {
  const [line, ...more] = ownershipNotices({
    ownerUid: 0,
    mounts: [mount('workspace', 'idmapped')],
  });
  assert.match(line ?? '', /belongs to root/);
  assert.deepEqual(more, []);
});

test('a file system without idmapping is named with its consequence', () => {
  const mounts = [mount('workspace', 'plain', 'fuse.sshfs'), mount('state-0', 'idmapped')];
  assert.deepEqual(ownershipNotices({ ownerUid: 1003, mounts }), [
    'Ids cannot be mapped on the file system of workspace (fuse.sshfs): the agent runs as uid 1003 of this host',
  ]);
  assert.match(ownershipNotices({ ownerUid: 0, mounts })[1] ?? '', /cannot write there/);
});
