import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountPoints } from './mounts.ts';

test('mount points are parsed with blanks and backslashes', () => {
  const text = [
    '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '33 22 254:0 /a /run/coi/mounts/x/workspace rw,nosuid - ext4 /dev/vda rw',
    '34 22 0:5 / /mnt/a\\040b\\134c\\011d rw - tmpfs none rw',
    '',
  ].join('\n');
  assert.deepEqual(mountPoints(text), ['/', '/run/coi/mounts/x/workspace', '/mnt/a b\\c\td']);
});
