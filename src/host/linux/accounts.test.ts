import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homesIn } from './accounts.ts';
import { commonRange, largestRange } from './subordinate-ids.ts';

test('homes are those of root and of login accounts', () => {
  const passwd = [
    'root:x:0:0:root:/root:/bin/bash',
    'daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin',
    'ann:x:1000:1000::/home/ann/:/bin/bash',
    'odd:x:1001:1001::/:/bin/bash',
    'relative:x:1002:1002::home:/bin/bash',
    'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    '+::::::',
    '',
  ].join('\n');
  assert.deepEqual(homesIn(passwd), ['/root', '/home/ann']);
});

test("root's largest range counts, by name or number, with a default if there is none", () => {
  assert.deepEqual(largestRange('ann:5:6\nroot:100000:10\n0:1000000:1000000000\n'), {
    from: 1_000_000,
    count: 1_000_000_000,
  });
  assert.deepEqual(largestRange('ann:5:6\n'), { from: 1_000_000, count: 1_000_000_000 });
});

test('ids must be in both files', () => {
  assert.deepEqual(commonRange({ from: 10, count: 10 }, { from: 15, count: 100 }), {
    from: 15,
    count: 5,
  });
  assert.equal(commonRange({ from: 10, count: 10 }, { from: 50, count: 5 }).count, 0);
});
