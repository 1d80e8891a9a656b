import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRoutes } from '../linux/interfaces.ts';
import { parseSockets, socketsInUse, tcpOpens } from './sockets.ts';

const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 00000000:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1001000        0 607400 1 0000000000000000 100 0 0 10 0
   1: A4024D0A:A46E 024D12C6:1093 01 00000000:00000000 00:00000000 00000000 717309480        0 607421 1 0000000000000000 20 4 30 10 -1
   2: A4024D0A:A470 024D12C6:1093 06 00000000:00000000 03:00000F6F 00000000     0        0 0 3 0000000000000000
`;
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0000000000000000 100 0 0 10 0
   1: 0000000000000000FFFF0000A4024D0A:0016 0000000000000000FFFF0000014D0A0A:C350 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0000000000000000 20 4 30 10 -1
   2: B80D0120000000000000000001000000:D431 B80D0120000000000000000002000000:01BB 02 00000001:00000000 01:00000064 00000000  1000        0 4244 2 0000000000000000 100 0 0 10 0
`;

test('kernel tables of TCP sockets are parsed', () => {
  const sockets = parseSockets(tcp, 'tcp');
  assert.deepEqual(
    sockets.map(({ localAddress, localPort, remoteAddress, remotePort, state, inode }) => [
      localAddress,
      localPort,
      remoteAddress,
      remotePort,
      state,
      inode,
    ]),
    [
      ['0.0.0.0', 3000, '0.0.0.0', 0, 'listening', '607400'],
      ['10.77.2.164', 42_094, '198.18.77.2', 4243, 'established', '607421'],
      ['10.77.2.164', 42_096, '198.18.77.2', 4243, 'closed', '0'],
    ],
  );
  assert.equal(sockets[1]?.uid, 717_309_480);
});

test('IPv6 addresses are shortened, and mapped ones are shown as IPv4', () => {
  assert.deepEqual(
    parseSockets(tcp6, 'tcp').map(({ localAddress, remoteAddress, state }) => [
      localAddress,
      remoteAddress,
      state,
    ]),
    [
      ['::', '::', 'listening'],
      ['10.77.2.164', '10.10.77.1', 'established'],
      ['2001:db8::1', '2001:db8::2', 'opening'],
    ],
  );
});

test('connection counters and socket counts are found among other counters', () => {
  const snmp = `Ip: Forwarding DefaultTTL
Ip: 2 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 12 3 1 0 2 400 380 0 0 5 0
`;
  assert.equal(tcpOpens(snmp), '12 3 1 0 2');
  const sockstat =
    'sockets: used 45\nTCP: inuse 4 orphan 0 tw 0 alloc 17 mem 4345\nUDP: inuse 1 mem 0\nRAW: inuse 0\nTCP6: inuse 2\nUDP6: inuse 0\n';
  assert.deepEqual(socketsInUse(sockstat), { tcp: 4, tcp6: 2, udp: 1, udp6: 0 });
});

test('networks without a gateway are found with their prefix length', () => {
  const route = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t01004D0A\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t00004D0A\t00000000\t0001\t0\t0\t0\t00FCFFFF\t0\t0\t0
`;
  assert.deepEqual(parseRoutes(route), [
    { device: 'docker0', address: '172.17.0.0', bits: 16 },
    { device: 'eth0', address: '10.77.0.0', bits: 22 },
  ]);
});
