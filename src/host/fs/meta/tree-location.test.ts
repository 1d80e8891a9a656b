// Goal: a directory has one location in its file system, whichever mount leads to it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { locationOn, mountLine, treeLocationAt } from './tree-location.ts';

const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 8:1 /home/ana/my\\040project /srv/a\\134b rw - ext4 /dev/sda1 rw
31 22 0:40 /@home /home rw - btrfs /dev/sdb rw,subvol=/@home
`;
const at = (id: string, path: string) => {
  const line = mountLine(mountinfo, id);
  return line && locationOn(line, path);
};

describe('location of a directory in its file system', () => {
  it("a directory's location is its path below the mount, from the root of the file system", () => {
    assert.deepEqual(at('22', '/home/ana'), { device: '8:1', path: '/home/ana', mountPoint: '/' });
    assert.equal(at('22', '/')?.path, '/');
    assert.equal(at('31', '/home/ana')?.path, '/@home/ana');
    assert.equal(at('31', '/home')?.path, '/@home');
  });
  it('the location is the same through a bind mount, with blanks and backslashes in names', () => {
    assert.equal(at('30', '/srv/a\\b/sub')?.path, '/home/ana/my project/sub');
    assert.equal(at('30', '/srv/a\\b')?.path, '/home/ana/my project');
  });
  it('the location is unknown for a missing mount or a path outside it', () => {
    assert.equal(at('99', '/x'), undefined);
    assert.equal(at('30', '/srv/a\\bc'), undefined);
    assert.equal(treeLocationAt('/nonexistent/x'), undefined);
  });
  it('the location comes from the kernel', () => {
    const [one, other] = [treeLocationAt('/usr'), treeLocationAt('/usr/.')];
    assert.ok(one);
    assert.deepEqual(one, other);
  });
});
