import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { formatDevice, MountTable } from './remote-mounts.ts';

const line = (id: number, device: string, point: string, type: string) =>
  `${id} 1 ${device} / ${point} rw,relatime shared:1 - ${type} source rw`;

describe('remote mounts', () => {
  const table = (...more: string[]) =>
    new MountTable([line(20, '8:1', '/', 'ext4'), ...more, ''].join('\n'));
  const points = (found: ReturnType<MountTable['remoteMountsOn']>) =>
    found.map(({ point }) => point);

  test('remote mounts are those that no local disk serves', () => {
    const all = table(
      line(21, '0:40', '/srv/nfs', 'nfs4'),
      line(22, '0:41', '/srv/sshfs', 'fuse.sshfs'),
      line(23, '0:42', '/srv/unknown', 'something'),
      line(24, '0:43', '/srv/memory', 'tmpfs'),
      line(25, '0:44', '/srv/lxcfs', 'fuse.lxcfs'),
    );
    for (const name of ['nfs', 'sshfs', 'unknown'])
      assert.deepEqual(points(all.remoteMountsOn(`/srv/${name}/a/b`)), [`/srv/${name}`]);
    for (const path of ['/srv', '/srv/memory/a', '/srv/lxcfs', '/srv/nfs2'])
      assert.deepEqual(all.remoteMountsOn(path), []);
    assert.deepEqual(points(all.remoteMounts), ['/srv/nfs', '/srv/sshfs', '/srv/unknown']);
    assert.deepEqual([all.has('0:40'), all.has('0:49')], [true, false]);
  });

  test('nested remote mounts are found by the topmost mount, even with blanks in their names', () => {
    const all = table(
      line(21, '0:40', '/a\\040b', 'nfs'),
      line(22, '8:2', '/a\\040b/disk', 'ext4'),
      line(23, '0:41', '/a\\040b/disk/more', 'fuse'),
      line(24, '0:42', '/over', 'nfs'),
      line(25, '0:43', '/over', 'tmpfs'),
    );
    assert.deepEqual(points(all.remoteMountsOn('/a b/disk/more/x')), ['/a b', '/a b/disk/more']);
    assert.deepEqual(all.remoteMountsOn('/over/x'), []);
  });

  test('remote mounts are found behind links of local directories', () => {
    const top = mkdtempSync(join(tmpdir(), 'remote-'));
    try {
      mkdirSync(join(top, 'd'));
      symlinkSync('../mounted/in', join(top, 'd', 'near'));
      symlinkSync(join(top, 'd', 'near'), join(top, 'far'));
      symlinkSync('loop', join(top, 'loop'));
      const all = table(line(21, '0:40', `${top}/mounted`, 'nfs'));
      for (const path of ['mounted', 'far', 'far/x', 'd/near', 'd/../d/./near/'])
        assert.deepEqual(points(all.remoteMountsOn(`${top}/${path}`)), [`${top}/mounted`], path);
      for (const path of ['d', 'loop', 'missing/x', 'mounted2'])
        assert.deepEqual(all.remoteMountsOn(`${top}/${path}`), [], path);
    } finally {
      rmSync(top, { recursive: true });
    }
  });

  test('remote mounts are identified by the device number from stat', () => {
    assert.equal(formatDevice(0x801), '8:1');
    assert.equal(formatDevice(0x10002f), '0:303');
    assert.ok(new MountTable().has(formatDevice(statSync('/proc').dev)));
  });
});
