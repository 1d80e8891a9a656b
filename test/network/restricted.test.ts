// Restricted mode: the internet and nothing else. Every claim is a pair: it passes without the guard and fails with it.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { parseNetwork } from '../../src/addresses/ipv4.ts';
import { mustRun } from '../bed/command.ts';
import { type HostService, type NetworkBed, openNetworkBed, startHostService } from './bed.ts';
import { udpFrame } from './frames.ts';
import { namespaceAddresses } from './internet.ts';
import type { Tenant } from './tenant.ts';

describe('a restricted session', () => {
  let bed: NetworkBed;
  let a: Tenant;
  let b: Tenant;
  let service: HostService;
  const restricted = { mode: 'restricted' } as const;

  before(async () => {
    bed = await openNetworkBed({
      attached: (net) => [parseNetwork(`${net.link.host}/30`) ?? { from: 0, to: 0 }],
    });
    [a, b, service] = await Promise.all([bed.tenant(), bed.tenant(), startHostService()]);
  });
  after(async () => {
    service?.close();
    await bed?.close();
  });

  for (const address of [...namespaceAddresses.private, ...namespaceAddresses.metadata]) {
    test(`a restricted session cannot reach ${address}`, async () => {
      await bed.net.assertEnclosed(address);
      const tcp = await bed.pair(a, restricted, () => a.tcp(address, 80));
      assert.deepEqual(tcp, { off: 'open', on: 'ECONNREFUSED' });
      // The kernel sends errors to one address at most once a second: silence is a refusal too.
      const udp = await bed.pair(
        a,
        restricted,
        async () => (await a.udp(address, 5000)) === 'answered',
      );
      assert.deepEqual(udp, { off: true, on: false });
    });
  }

  test("a restricted session reaches the internet by TCP, UDP and ping, and the bridge's name server", async () => {
    await bed.guard.put(a.port(restricted));
    for (const address of ['8.8.8.8', '93.184.215.14']) {
      await bed.net.assertEnclosed(address);
      assert.equal(await a.tcp(address, 80), 'open');
      assert.equal(await a.udp(address, 443), 'answered');
    }
    await a.task({ kind: 'raw-ip', address: '1.1.1.1', protocol: 1, payload: '0800f7ff00000000' });
    await a.udp('1.1.1.1', 5000);
    assert.deepEqual((await bed.net.protocolsSeen('1.1.1.1')).sort(), ['1', '17']);
    assert.equal(await a.tcp(a.gateway, 53), 'open');
    await bed.guard.remove(a.hostName);
  });

  test('a restricted session reaches no service of the host at any of its addresses', async () => {
    const own = Object.values(networkInterfaces()).flatMap((list = []) =>
      list.flatMap(({ family, address, internal }) =>
        family === 'IPv4' && !internal ? [address] : [],
      ),
    );
    assert.ok(own.length >= 3, own.join(' '));
    let turn = 0;
    for (const address of own) {
      const tcp = await bed.pair(a, restricted, () => a.tcp(address, service.port));
      assert.deepEqual(tcp, { off: 'open', on: 'ECONNREFUSED' }, address);
      const udp = await bed.pair(a, restricted, async () => {
        turn += 1;
        const text = `to the host ${turn}`;
        await a.task({ kind: 'udp', address, port: service.port, text, wait: false });
        await a.udp('8.8.8.8', 5000, `after ${text}`);
        return service.received.includes(text);
      });
      assert.deepEqual(udp, { off: true, on: false }, address);
    }
  });

  test('a restricted session cannot reach other networks of the host, whatever their addresses', async () => {
    const { far } = bed.net.link;
    await bed.net.assertEnclosed(far);
    assert.deepEqual(await bed.pair(a, restricted, () => a.tcp(far, 80)), {
      off: 'open',
      on: 'ECONNREFUSED',
    });
  });

  test('a restricted session cannot reach another container, nor the other way round', async () => {
    await Promise.all([
      a.task({ kind: 'listen', port: 6000 }),
      b.task({ kind: 'listen', port: 6000 }),
    ]);
    const talk = async (from: Tenant, to: Tenant, text: string) => {
      await to.task({ kind: 'heard' });
      await from.task({ kind: 'udp', address: to.address, port: 6000, text, wait: false });
      // A later packet from elsewhere shows that the first would have arrived.
      await to.task({
        kind: 'udp',
        address: '8.8.8.8',
        port: 5000,
        text: `after ${text}`,
        wait: true,
      });
      const packets = (await to.task({ kind: 'heard' })) as { text: string }[];
      return packets.map((one) => one.text);
    };
    assert.deepEqual(await bed.pair(a, restricted, () => talk(a, b, 'to b')), {
      off: ['to b'],
      on: [],
    });
    assert.deepEqual(await bed.pair(a, restricted, () => talk(b, a, 'to a')), {
      off: ['to a'],
      on: [],
    });
  });

  test('a restricted session cannot reach another container through the host', async () => {
    await b.task({ kind: 'listen', port: 6001 });
    let turn = 0;
    const routed = async () => {
      turn += 1;
      const text = `routed ${turn}`;
      const base = { to: a.bridgeMac, from: a.mac, source: a.address, sourcePort: 4001 };
      await a.task({
        kind: 'frame',
        interface: 'eth0',
        hex: udpFrame({ ...base, destination: b.address, port: 6001, text }),
      });
      await b.udp('8.8.8.8', 5000, `after ${text}`);
      return ((await b.task({ kind: 'heard' })) as { text: string }[]).length;
    };
    assert.deepEqual(await bed.pair(a, restricted, routed), { off: 1, on: 0 });
  });

  test('a restricted session can always be reached from the host', async () => {
    await a.task({ kind: 'listen', port: 6002 });
    await bed.guard.put(a.port(restricted));
    const { createSocket } = await import('node:dgram');
    const socket = createSocket('udp4');
    socket.send('from the host', 6002, a.address);
    await a.udp('8.8.8.8', 5000, 'after');
    assert.deepEqual(
      ((await a.task({ kind: 'heard' })) as { text: string }[]).map(({ text }) => text),
      ['from the host'],
    );
    socket.close();
    await mustRun(['ping', '-c', '1', '-W', '2', a.address]).catch(async (error: unknown) => {
      // Not every machine has ping; then the datagram above is the proof.
      if (!String(error).includes('ENOENT')) throw error;
    });
    await bed.guard.remove(a.hostName);
  });

  test('a restricted session cannot be reached from outside through the host', async () => {
    await a.task({ kind: 'listen', port: 6003 });
    let turn = 0;
    const intrude = async () => {
      turn += 1;
      const script = `require('dgram').createSocket('udp4').send('in ${turn}', 6003, '${a.address}', () => process.exit())`;
      const sent = await bed.net.run([process.execPath, '-e', script]);
      assert.equal(sent.status, 0, sent.stderr);
      await a.udp('8.8.8.8', 5000, `after ${turn}`);
      return ((await a.task({ kind: 'heard' })) as unknown[]).length;
    };
    assert.deepEqual(await bed.pair(a, restricted, intrude), { off: 1, on: 0 });
  });

  test('a restricted session loses connections made before it was guarded', async () => {
    let turn = 0;
    const flow = async () => {
      turn += 1;
      const text = `flow ${turn}`;
      // The same ports each time: to the kernel it is one connection.
      const hex = udpFrame({
        to: a.bridgeMac,
        from: a.mac,
        source: a.address,
        destination: '10.99.9.9',
        sourcePort: 4002,
        port: 5000,
        text,
      });
      await a.task({ kind: 'frame', interface: 'eth0', hex });
      await a.udp('8.8.8.8', 5000, `after ${text}`);
      return (await bed.net.arrivals()).some((arrival) => arrival.text === text);
    };
    assert.deepEqual(await bed.pair(a, restricted, flow), { off: true, on: false });
  });

  test('a restricted session with local access reaches private networks, but neither metadata nor the host', async () => {
    await bed.guard.put(a.port({ ...restricted, allowLocal: true }));
    assert.equal(await a.tcp('10.99.9.9', 80), 'open');
    assert.equal(await a.tcp('169.254.169.254', 80), 'ECONNREFUSED');
    assert.equal(await a.tcp(a.gateway, service.port), 'ECONNREFUSED');
    await bed.guard.put(
      a.port({ ...restricted, hosts: [{ address: '192.168.77.7', names: ['nas'], ports: [80] }] }),
    );
    assert.equal(await a.tcp('192.168.77.7', 80), 'open');
    assert.equal(await a.tcp('192.168.77.7', 5000), 'ECONNREFUSED');
    assert.equal(await a.tcp('10.99.9.9', 80), 'ECONNREFUSED');
    await bed.guard.put(a.port({ ...restricted, allowedPorts: [443] }));
    assert.equal(await a.tcp('8.8.8.8', 80), 'ECONNREFUSED');
    assert.equal(await a.udp('8.8.8.8', 443), 'answered');
    await bed.guard.remove(a.hostName);
  });

  test("a restricted session's refused packets are logged with address and port", async () => {
    await bed.guard.put(a.port(restricted));
    await a.tcp('10.99.9.9', 8443);
    await a.udp('100.64.7.7', 123);
    const denials = await bed.guard.denials();
    const own = denials
      .filter(({ source }) => source === a.address)
      .map(({ protocol, address, port }) => `${protocol} ${address}:${port}`);
    assert.ok(own.includes('tcp 10.99.9.9:8443'), own.join(', '));
    assert.ok(own.includes('udp 100.64.7.7:123'), own.join(', '));
    await bed.guard.remove(a.hostName);
  });
});
