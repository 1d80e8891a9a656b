import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FileIdentity } from '../../host/fs/meta/identity.ts';
import { describeConflict, findModeConflict, type SharedTree } from './workspace-mode.ts';

const identity = (inode: number): FileIdentity => ({ device: 1, inode, bornMs: 7, boot: 'b' });

function tree(path: string, inodes: readonly number[], more: Partial<SharedTree> = {}): SharedTree {
  const [own, ...above] = inodes.map(identity);
  return { name: 'workspace', path, readonly: false, identity: own, above, ...more };
}

const isRefused = (own: SharedTree, theirs: SharedTree, mode: 'open' | 'allowlist' = 'open') =>
  findModeConflict([own], mode, [{ container: 'c', mode: 'allowlist', trees: [theirs] }]) !==
  undefined;

describe('two sessions with different network modes', () => {
  const live = tree('/home/a', [5, 2, 1]);

  test('a different network mode is refused for the same directory, even after a rename', () => {
    assert.ok(isRefused(tree('/home/b', [5, 2, 1]), live));
    assert.ok(!isRefused(tree('/home/b', [5, 2, 1]), live, 'allowlist'));
  });

  test('a different network mode is allowed if only the path is the same', () => {
    assert.ok(!isRefused(tree('/home/a', [6, 2, 1]), live));
  });

  test('a different network mode is refused for a parent or subdirectory, even after a move', () => {
    assert.ok(isRefused(tree('/home/b/sub', [9, 5, 2, 1]), live));
    assert.ok(isRefused(tree('/home', [2, 1]), live));
    assert.ok(!isRefused(tree('/other', [8, 1]), live));
    assert.ok(isRefused(tree('/other', [8, 1]), { ...live, currentPaths: ['/other/a'] }));
  });

  test('a different network mode is refused for shared mounts unless both are read-only', () => {
    const readonly = { readonly: true };
    assert.ok(isRefused(tree('/home/a', [5, 2, 1], readonly), live));
    assert.ok(!isRefused(tree('/home/a', [5, 2, 1], readonly), { ...live, ...readonly }));
  });

  test('paths decide about network modes if nothing else is known', () => {
    const named = { name: 'workspace', path: '/home/a', readonly: false };
    assert.ok(isRefused(tree('/home/a', [6, 2, 1]), named));
    assert.ok(isRefused(tree('/home/a/sub', [9, 6, 2, 1]), named));
    assert.ok(isRefused(tree('/home', [2, 1]), named));
    assert.ok(!isRefused(tree('/home/ab', [6, 2, 1]), named));
  });

  test('a different network mode is allowed for a shared directory that is in neither workspace', () => {
    const mount = (path: string, inodes: readonly number[]) =>
      tree(path, inodes, { name: 'cache' });
    const cache = mount('/cache', [7, 1]);
    assert.ok(!isRefused(cache, cache));
    assert.ok(!isRefused(mount('/cache/npm', [8, 7, 1]), cache));
    // It lies in a workspace of one of them, or contains it.
    assert.ok(isRefused(mount('/home/a/.git', [9, 5, 2, 1]), live));
    assert.ok(isRefused(mount('/home', [2, 1]), live));
    assert.ok(isRefused(tree('/cache/npm', [8, 7, 1]), cache));
  });

  test('a network mode refusal names the shared directories', () => {
    const message = (own: SharedTree, theirs: SharedTree) => {
      const session = { container: 'c', mode: 'open' as const, trees: [theirs] };
      return describeConflict({ session, own, theirs });
    };
    assert.equal(message(tree('/home/b', [5, 2, 1]), live), 'c has "/home/b" too');
    assert.equal(message(tree('/home', [2, 1]), live), 'c has "/home/a", which lies in "/home"');
    const sub = tree('/home/b/sub', [9, 5, 2, 1]);
    const moved = { ...live, currentPaths: ['/home/b'] };
    assert.equal(message(sub, moved), 'c has "/home/b", which holds "/home/b/sub"');
  });
});
