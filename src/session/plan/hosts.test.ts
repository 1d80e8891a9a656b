import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addHost, hostEntries, hostEntry, removeHosts, withLocalhostOnIPv4 } from './hosts.ts';

const file = '127.0.0.1 localhost\n10.0.0.1 mine # a comment\n';

test('an entry is added once, moves when its name gets another address, and can be removed', () => {
  const one = addHost(file, hostEntry('10.1.2.3', ['db', 'db.local']));
  assert.deepEqual(hostEntries(one), [{ ip: '10.1.2.3', names: ['db', 'db.local'] }]);
  const moved = addHost(one, hostEntry('10.9.9.9', ['db']));
  assert.deepEqual(hostEntries(moved), [
    { ip: '10.1.2.3', names: ['db.local'] },
    { ip: '10.9.9.9', names: ['db'] },
  ]);
  assert.equal(removeHosts(moved, ['db', '10.1.2.3']), file);
});

test('lines that others wrote stay unchanged', () => {
  assert.equal(removeHosts(file, ['mine', 'localhost']), file);
  assert.ok(addHost(file, hostEntry('10.1.2.3', ['x'])).startsWith(file));
});

test('invalid addresses and names are refused', () => {
  for (const [ip, name] of [
    ['db', 'x'],
    ['1.2.3.4', 'a b'],
    ['1.2.3.4', 'a\nb'],
    ['::1', 'x'],
    ['1.2.3.4', ''],
  ])
    assert.throws(() => hostEntry(ip ?? '', [name ?? '']), { code: 'usage' });
});

test('localhost is removed from ::1, and nothing else is', () => {
  const debian =
    '127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\n';
  assert.equal(
    withLocalhostOnIPv4(debian),
    '127.0.0.1\tlocalhost\n::1 ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\n',
  );
  assert.equal(
    withLocalhostOnIPv4('::1 localhost\n127.0.0.1 localhost\n'),
    '127.0.0.1 localhost\n',
  );
  assert.equal(withLocalhostOnIPv4('::1 localhost six # mine'), '::1 six # mine');
  for (const kept of [
    '',
    '127.0.0.1 localhost\n',
    '::1 six # localhost\n',
    '# ::1 localhost\n',
    file,
  ])
    assert.equal(withLocalhostOnIPv4(kept), kept);
});
