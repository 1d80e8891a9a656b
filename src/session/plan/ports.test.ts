import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assignPorts, portDevices, portRange, portTexts, portVariables } from './ports.ts';

const web = { name: 'web-app', container: 3000, host: 0, listen: '127.0.0.1' };
const free = () => true;

test('each slot of each workspace has its own ten ports, numbered as in the predecessor', () => {
  assert.equal(portRange('00000000', 1)[0], 20_000);
  assert.equal(portRange('00000191', 2)[0], 20_000 + (0x191 % 400) * 100 + 10);
  for (const slot of [11, 12, 99]) {
    const range = portRange('ffffffff', slot);
    assert.ok(
      range.every((port) => port >= 60_000 && port < 65_536),
      range.join(),
    );
  }
  assert.notEqual(portRange('00000191', 11)[0], portRange('00000191', 12)[0]);
  assert.equal(portRange('ffffffff', 10).length, 10);
  assert.ok((portRange('ffffffff', 10)[9] ?? 0) < 65_536);
});

test('busy ports of the range are skipped; a busy pinned port refuses the start', () => {
  const settings = { pool: 2, map: [web] };
  const ports = assignPorts(settings, '00000000', 1, (_, port) => port !== 20_001);
  assert.deepEqual(
    ports.map(({ host, container }) => [host, container]),
    [
      [20_000, 20_000],
      [20_002, 20_002],
      [20_003, 3000],
    ],
  );
  const pinned = { pool: 0, map: [{ ...web, host: 8080 }] };
  assert.throws(() => assignPorts(pinned, '00000000', 1, () => false), /port 8080 for "web-app"/);
  assert.throws(() => assignPorts({ pool: 1, map: [] }, '00000000', 1, () => false), /all ports/);
});

test('devices, variables and printed lines show the same ports', () => {
  const ports = assignPorts({ pool: 1, map: [{ ...web, listen: '0.0.0.0' }] }, '00000000', 1, free);
  assert.deepEqual(portDevices(ports)['coi-port-web-app'], {
    type: 'proxy',
    bind: 'host',
    listen: 'tcp:0.0.0.0:20001',
    connect: 'tcp:127.0.0.1:3000',
  });
  assert.deepEqual(portVariables(ports), { COI_PORTS: '20000', COI_PORT_WEB_APP: '20001' });
  assert.deepEqual(portTexts(ports), ['20000', 'web-app:0.0.0.0:20001->3000']);
});
