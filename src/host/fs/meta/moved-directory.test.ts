// Goal: the current path of a moved directory is found through its mounts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathsIn } from './moved-directory.ts';

const mountinfo = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:5 / /proc rw - proc proc rw
30 22 8:1 /home/ana/my\\040project /run/coi/mounts/a/workspace rw,idmapped - ext4 /dev/sda1 rw
31 22 8:1 /home/ana/my\\040project/.git /run/coi/mounts/a/workspace/.git rw,idmapped - ext4 /dev/sda1 rw
32 22 0:40 /@home /home rw - btrfs /dev/sdb rw,subvol=/@home
33 22 0:40 /@home/ben/caf\u00c3\u00a9 /run/coi/mounts/b/workspace rw,idmapped - btrfs /dev/sdb rw
34 22 8:9 /app /run/coi/mounts/c/workspace rw,idmapped - ext4 /dev/sdc rw
36 22 8:1 /home/ana /run/coi/mounts/e/above rw - ext4 /dev/sda1 rw
37 22 8:1 /home/ana /srv/ana rw,idmapped - ext4 /dev/sda1 rw
38 22 8:1 /home/ana /mnt/ana ro,nosuid - ext4 /dev/sda1 rw
35 22 8:1 /gone//deleted /run/coi/mounts/d/workspace rw,idmapped - ext4 /dev/sda1 rw
`;

const hostPaths = (id: string) => pathsIn(mountinfo, '/run/coi/mounts', id);

describe('host paths of a mounted directory', () => {
  it('host paths lead through other mounts of the file system, writable ones first, none through coid or an id map', () => {
    assert.deepEqual(hostPaths('a'), [
      '/home/ana/my project',
      '/mnt/ana/my project',
      '/home/ana/my project/.git',
      '/mnt/ana/my project/.git',
    ]);
  });
  it('host paths start where part of the file system is mounted, and are text', () => {
    assert.deepEqual(hostPaths('b'), ['/home/ben/café']);
  });
  it('host paths are unknown if that file system is mounted nowhere else or not above the directory', () => {
    assert.deepEqual(hostPaths('c'), []);
    assert.deepEqual(hostPaths('f'), []);
  });
});
