// Goal: what a second mount of a workspace gets inside, and when it is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundOf, furtherInside, type Overlap, overlapOf, wholeInside } from './overlap.ts';

const place = (path: string, device = '8:1') => ({ device, path, mountPoint: '/' });
const mount = { source: '/home/ana/x', readonly: false };
const secrets = ['.env', 'deep/one.pem', 'keys'];
const protect = { paths: ['.git/hooks', ...secrets], mode: 'guard' as const };
const bound = boundOf(protect, secrets);

describe('how two directories lie to each other', () => {
  for (const [own, other, expected] of [
    ['/a/ws', '/a/ws', { kind: 'same' }],
    ['/a/ws', '/a/ws/sub/x', { kind: 'below', path: 'sub/x' }],
    ['/a/ws', '/a', { kind: 'above', path: 'ws' }],
    ['/a/ws', '/', { kind: 'above', path: 'a/ws' }],
    ['/', '/sub', { kind: 'below', path: 'sub' }],
    ['/a/ws', '/a/ws2', { kind: 'apart' }],
    ['/a/ws2', '/a/ws', { kind: 'apart' }],
  ] as const)
    it(`${own} and ${other}: ${expected.kind}`, () =>
      assert.deepEqual(overlapOf(place(own), place(other)), expected));
  it('the same path on another file system is another directory', () =>
    assert.deepEqual(overlapOf(place('/a'), place('/a', '8:2')), { kind: 'apart' }));
});

describe('what a further mount gets inside', () => {
  const inside = (overlap: Overlap, readonly = false, what = bound) =>
    furtherInside(overlap, { ...mount, readonly }, what);
  it('nothing where it is apart', () =>
    assert.deepEqual(inside({ kind: 'apart' }), { secrets: [], readonlyGit: false, whole: [] }));
  it('every cover where it is the same directory', () =>
    assert.deepEqual(inside({ kind: 'same' }).secrets, secrets));
  it('the covers that lie in it where it is a part', () =>
    assert.deepEqual(inside({ kind: 'below', path: 'deep' }).secrets, ['one.pem']));
  it('every cover, below the way to the workspace, where it holds it read-only', () =>
    assert.deepEqual(inside({ kind: 'above', path: 'a/ws' }, true).secrets, [
      'a/ws/.env',
      'a/ws/deep/one.pem',
      'a/ws/keys',
    ]));
  it('a .git that cannot be written, where the workspace has one', () => {
    const sealed = boundOf({ ...protect, readonlyGit: true }, []);
    assert.equal(inside({ kind: 'same' }, false, sealed).readonlyGit, true);
    assert.equal(inside({ kind: 'same' }, true, sealed).readonlyGit, false);
  });
  it('what is held as a whole, as far as it shows that', () => {
    const whole = ['.git/modules', 'store/worktrees'];
    const held = { ...boundOf(protect), whole };
    assert.deepEqual(inside({ kind: 'same' }, false, held).whole, whole);
    assert.deepEqual(inside({ kind: 'below', path: '.git' }, false, held).whole, ['modules']);
    assert.deepEqual(inside({ kind: 'same' }, true, held).whole, []);
    const above = wholeInside(
      { kind: 'above', path: '.git' },
      { ...mount, readonly: false },
      whole,
    );
    assert.deepEqual(above, ['.git/.git/modules', '.git/store/worktrees']);
  });
});

describe('a further mount is refused', () => {
  const refused = (overlap: Overlap, what: RegExp, given = bound, readonly = false) =>
    assert.throws(() => furtherInside(overlap, { ...mount, readonly }, given), {
      code: 'unprotected-path',
      message: what,
    });
  it('where it lies in what is hidden', () => {
    refused({ kind: 'below', path: 'keys' }, /shows "keys"/, bound, true);
    refused({ kind: 'below', path: 'keys/sub' }, /shows "keys"/, bound, true);
  });
  it('where it holds the workspace and can be written', () =>
    refused({ kind: 'above', path: 'ws' }, /holds the workspace/, boundOf(protect)));
  it('where what is hidden could be moved into it, since it is not protected', () => {
    for (const loose of [
      boundOf(undefined, secrets),
      boundOf({ paths: [], mode: 'guard' }, secrets),
    ])
      refused({ kind: 'below', path: 'sub' }, /could move "\.env" into it/, loose, true);
    refused(
      { kind: 'below', path: 'deep' },
      /could move "\.env"/,
      boundOf({ ...protect, mode: 'watch' }, secrets),
    );
  });
  it('where it lies in a .git that cannot be written, unless it is read-only', () => {
    const sealed = boundOf({ ...protect, readonlyGit: true });
    refused({ kind: 'below', path: '.git/refs' }, /\[git\] readonly/, sealed);
    furtherInside({ kind: 'below', path: '.git/refs' }, { ...mount, readonly: true }, sealed);
  });
  it('where it lies in what is held as a whole, unless it is read-only', () => {
    const held = { ...boundOf(protect), whole: ['.git/modules'] };
    refused({ kind: 'below', path: '.git/modules/a' }, /lies in "\.git\/modules"/, held);
    furtherInside({ kind: 'below', path: '.git/modules/a' }, { ...mount, readonly: true }, held);
  });
  it('never where nothing is hidden or protected', () => {
    for (const kind of ['same', 'above', 'below'] as const)
      furtherInside({ kind, path: 'x' }, mount, boundOf(undefined));
  });
});
