import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idle } from '../fixtures/load.ts';
import type { Connection, Sample } from '../sample.ts';
import { defaultSettings } from '../settings.ts';
import { contacts } from './contacts.ts';

const connection: Connection = {
  protocol: 'tcp',
  localAddress: '10.77.0.9',
  localPort: 40_000,
  remoteAddress: '93.184.215.14',
  remotePort: 443,
  state: 'established',
  uid: 1_001_000,
  inode: '7',
};

function level(more: Partial<Connection>, about: Partial<Sample> = {}): string | undefined {
  const now = { ...idle, ...about, connections: [{ ...connection, ...more }] };
  const change = {
    elapsedMs: 2000,
    readBytes: 0,
    writtenBytes: 0,
    sentBytes: 0,
    receivedBytes: 0,
    started: [],
    spawned: 0,
    cpuShare: 0,
    dnsNames: 0,
  };
  return contacts({ now, before: idle, change, recent: [], settings: defaultSettings })[0]?.level;
}

test('the metadata service is critical if reached, a warning if only tried', () => {
  assert.equal(level({ remoteAddress: '169.254.169.254', remotePort: 80 }), 'critical');
  assert.equal(
    level({ remoteAddress: '169.254.169.254', remotePort: 80, state: 'opening' }),
    'warning',
  );
  assert.equal(level({ remoteAddress: 'fd00:ec2::254', remotePort: 80 }), 'critical');
});

test('private networks are high if the mode forbids them, a note if it allows them', () => {
  for (const remoteAddress of [
    '192.168.1.4',
    '10.0.0.1',
    '172.20.0.1',
    '100.64.1.1',
    '169.254.3.4',
    'fd12::1',
    'fe80::1',
    '10.77.0.44',
  ]) {
    assert.equal(level({ remoteAddress }), 'high', remoteAddress);
    assert.equal(level({ remoteAddress }, { network: 'open' }), 'info', remoteAddress);
  }
});

test('own networks, names from the gateway and connections from outside raise no finding', () => {
  assert.equal(level({ remoteAddress: '172.17.0.3', remotePort: 5432 }), undefined);
  assert.equal(level({ remoteAddress: '127.0.0.1', remotePort: 4444 }), undefined);
  assert.equal(level({ protocol: 'udp', remoteAddress: '10.77.0.1', remotePort: 53 }), undefined);
  assert.equal(
    level({ remoteAddress: '10.77.0.1', localPort: 3000 }, { servedPorts: new Set([3000]) }),
    undefined,
  );
  assert.equal(level({}), undefined);
});

test('ports of remote-control programs raise a finding, web ports only a note', () => {
  assert.equal(level({ remotePort: 4444 }), 'critical');
  assert.equal(level({ remotePort: 31337 }), 'high');
  assert.equal(level({ remotePort: 8080 }), 'info');
});
