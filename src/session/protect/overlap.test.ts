// Goal: covers and seals in a second mount of a workspace, and when it is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  extraMountGuards,
  lockedInside,
  type Overlap,
  overlapOf,
  workspaceRules,
} from './overlap.ts';

const location = (path: string, device = '8:1') => ({ device, path, mountPoint: '/' });
const mount = { source: '/home/ana/x', readonly: false };
const secrets = ['.env', 'deep/one.pem', 'keys'];
const protect = { paths: ['.git/hooks', ...secrets], mode: 'guard' as const };
const bound = workspaceRules(protect, secrets);

describe('relation of two directories', () => {
  for (const [own, other, expected] of [
    ['/a/ws', '/a/ws', { kind: 'same' }],
    ['/a/ws', '/a/ws/sub/x', { kind: 'below', path: 'sub/x' }],
    ['/a/ws', '/a', { kind: 'above', path: 'ws' }],
    ['/a/ws', '/', { kind: 'above', path: 'a/ws' }],
    ['/', '/sub', { kind: 'below', path: 'sub' }],
    ['/a/ws', '/a/ws2', { kind: 'apart' }],
    ['/a/ws2', '/a/ws', { kind: 'apart' }],
  ] as const)
    it(`${own} and ${other} are related as ${expected.kind}`, () =>
      assert.deepEqual(overlapOf(location(own), location(other)), expected));
  it('the same path on another file system is another directory', () =>
    assert.deepEqual(overlapOf(location('/a'), location('/a', '8:2')), { kind: 'apart' }));
});

describe('covers and seals of a second mount', () => {
  const inside = (overlap: Overlap, readonly = false, what = bound) =>
    extraMountGuards(overlap, { ...mount, readonly }, what);
  it('a separate second mount gets no cover', () =>
    assert.deepEqual(inside({ kind: 'apart' }), { secrets: [], readonlyGit: false, whole: [] }));
  it('a second mount of the same directory gets every cover', () =>
    assert.deepEqual(inside({ kind: 'same' }).secrets, secrets));
  it('a second mount of a part gets the covers in that part', () =>
    assert.deepEqual(inside({ kind: 'below', path: 'deep' }).secrets, ['one.pem']));
  it('a read-only second mount of a parent gets every cover below the path to the workspace', () =>
    assert.deepEqual(inside({ kind: 'above', path: 'a/ws' }, true).secrets, [
      'a/ws/.env',
      'a/ws/deep/one.pem',
      'a/ws/keys',
    ]));
  it('a second mount has a read-only .git if the workspace has', () => {
    const sealed = workspaceRules({ ...protect, readonlyGit: true }, []);
    assert.equal(inside({ kind: 'same' }, false, sealed).readonlyGit, true);
    assert.equal(inside({ kind: 'same' }, true, sealed).readonlyGit, false);
  });
  it('a second mount has the seals that it can reach', () => {
    const whole = ['.git/modules', 'store/worktrees'];
    const withSeals = { ...workspaceRules(protect), whole };
    assert.deepEqual(inside({ kind: 'same' }, false, withSeals).whole, whole);
    assert.deepEqual(inside({ kind: 'below', path: '.git' }, false, withSeals).whole, ['modules']);
    assert.deepEqual(inside({ kind: 'same' }, true, withSeals).whole, []);
    const above = lockedInside(
      { kind: 'above', path: '.git' },
      { ...mount, readonly: false },
      whole,
    );
    assert.deepEqual(above, ['.git/.git/modules', '.git/store/worktrees']);
  });
});

describe('refused second mounts', () => {
  const refused = (overlap: Overlap, what: RegExp, given = bound, readonly = false) =>
    assert.throws(() => extraMountGuards(overlap, { ...mount, readonly }, given), {
      code: 'unprotected-path',
      message: what,
    });
  it('a second mount inside a hidden directory is refused', () => {
    refused({ kind: 'below', path: 'keys' }, /shows "keys"/, bound, true);
    refused({ kind: 'below', path: 'keys/sub' }, /shows "keys"/, bound, true);
  });
  it('a writable second mount of a parent of the workspace is refused', () =>
    refused({ kind: 'above', path: 'ws' }, /contains the workspace/, workspaceRules(protect)));
  it('a second mount into which an unprotected hidden file could be moved is refused', () => {
    for (const loose of [
      workspaceRules(undefined, secrets),
      workspaceRules({ paths: [], mode: 'guard' }, secrets),
    ])
      refused({ kind: 'below', path: 'sub' }, /could move "\.env" into it/, loose, true);
    refused(
      { kind: 'below', path: 'deep' },
      /could move "\.env"/,
      workspaceRules({ ...protect, mode: 'watch' }, secrets),
    );
  });
  it('a second mount in a read-only .git is refused unless it is read-only', () => {
    const sealed = workspaceRules({ ...protect, readonlyGit: true });
    refused({ kind: 'below', path: '.git/refs' }, /\[git\] readonly/, sealed);
    extraMountGuards({ kind: 'below', path: '.git/refs' }, { ...mount, readonly: true }, sealed);
  });
  it('a second mount in a sealed directory is refused unless it is read-only', () => {
    const withSeals = { ...workspaceRules(protect), whole: ['.git/modules'] };
    refused({ kind: 'below', path: '.git/modules/a' }, /is in "\.git\/modules"/, withSeals);
    extraMountGuards(
      { kind: 'below', path: '.git/modules/a' },
      { ...mount, readonly: true },
      withSeals,
    );
  });
  it('a second mount is never refused if nothing is hidden or protected', () => {
    for (const kind of ['same', 'above', 'below'] as const)
      extraMountGuards({ kind, path: 'x' }, mount, workspaceRules(undefined));
  });
});
