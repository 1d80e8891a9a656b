import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Identity } from '../../host/fs/meta/identity.ts';
import { otherMode, type SharedTree, sharing } from './workspace-mode.ts';

const identity = (inode: number): Identity => ({ device: 1, inode, bornMs: 7, boot: 'b' });

function tree(path: string, inodes: readonly number[], more: Partial<SharedTree> = {}): SharedTree {
  const [own, ...above] = inodes.map(identity);
  return { name: 'workspace', path, readonly: false, identity: own, above, ...more };
}

const isRefused = (own: SharedTree, theirs: SharedTree, mode: 'open' | 'allowlist' = 'open') =>
  otherMode([own], mode, [{ container: 'c', mode: 'allowlist', trees: [theirs] }]) !== undefined;

describe('another network mode', () => {
  const live = tree('/home/a', [5, 2, 1]);

  test('is refused where the directory is the same, whatever its name is by now', () => {
    assert.ok(isRefused(tree('/home/b', [5, 2, 1]), live));
    assert.ok(!isRefused(tree('/home/b', [5, 2, 1]), live, 'allowlist'));
  });

  test('is not refused where only the name is the same', () => {
    assert.ok(!isRefused(tree('/home/a', [6, 2, 1]), live));
  });

  test('is refused above and below, after a move too', () => {
    assert.ok(isRefused(tree('/home/b/sub', [9, 5, 2, 1]), live));
    assert.ok(isRefused(tree('/home', [2, 1]), live));
    assert.ok(!isRefused(tree('/other', [8, 1]), live));
    assert.ok(isRefused(tree('/other', [8, 1]), { ...live, places: ['/other/a'] }));
  });

  test('counts mounts, unless both are read-only', () => {
    const readonly = { readonly: true };
    assert.ok(isRefused(tree('/home/a', [5, 2, 1], readonly), live));
    assert.ok(!isRefused(tree('/home/a', [5, 2, 1], readonly), { ...live, ...readonly }));
  });

  test('goes by names where nothing else is known', () => {
    const named = { name: 'workspace', path: '/home/a', readonly: false };
    assert.ok(isRefused(tree('/home/a', [6, 2, 1]), named));
    assert.ok(isRefused(tree('/home/a/sub', [9, 6, 2, 1]), named));
    assert.ok(isRefused(tree('/home', [2, 1]), named));
    assert.ok(!isRefused(tree('/home/ab', [6, 2, 1]), named));
  });

  test('is not refused where what both have is the workspace of neither', () => {
    const mount = (path: string, inodes: readonly number[]) =>
      tree(path, inodes, { name: 'cache' });
    const cache = mount('/cache', [7, 1]);
    assert.ok(!isRefused(cache, cache));
    assert.ok(!isRefused(mount('/cache/npm', [8, 7, 1]), cache));
    // It lies in the workspace of one of them, or holds that.
    assert.ok(isRefused(mount('/home/a/.git', [9, 5, 2, 1]), live));
    assert.ok(isRefused(mount('/home', [2, 1]), live));
    assert.ok(isRefused(tree('/cache/npm', [8, 7, 1]), cache));
  });

  test('is refused in words that say what both have', () => {
    const said = (own: SharedTree, theirs: SharedTree) => {
      const session = { container: 'c', mode: 'open' as const, trees: [theirs] };
      return sharing({ session, own, theirs });
    };
    assert.equal(said(tree('/home/b', [5, 2, 1]), live), 'c has "/home/b" too');
    assert.equal(said(tree('/home', [2, 1]), live), 'c has "/home/a", which lies in "/home"');
    const sub = tree('/home/b/sub', [9, 5, 2, 1]);
    const moved = { ...live, places: ['/home/b'] };
    assert.equal(said(sub, moved), 'c has "/home/b", which holds "/home/b/sub"');
  });
});
