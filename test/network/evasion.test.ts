// Common ways round a network guard: other spellings, fragments, nested networks, the moment of a change. In pairs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type NetworkBed, openNetworkBed } from './bed.ts';
import { icmp6Frame, udpFragments, udpFrame } from './frames.ts';
import { makeNestedNetwork } from './nested.ts';
import { bridge, enterNamespace, type NamespaceAgent, type Tenant } from './tenant.ts';

describe('evading the network guard', () => {
  let bed: NetworkBed;
  let a: Tenant;
  let b: Tenant;
  let host: NamespaceAgent;
  const restricted = { mode: 'restricted' } as const;
  const target = '10.99.9.9';

  before(async () => {
    bed = await openNetworkBed();
    [a, b, host] = await Promise.all([
      bed.tenant(),
      bed.tenant(),
      enterNamespace('/proc/self/ns/net', ''),
    ]);
    for (const address of [target, '169.254.169.254', '8.8.8.8', '93.184.215.14'])
      await bed.net.assertEnclosed(address);
    await b.task({ kind: 'sniff', interface: 'eth0' });
    await host.task({ kind: 'sniff', interface: bridge });
  });
  after(async () => {
    host?.stop();
    await bed?.close();
  });

  const send = async (...frames: string[]) => {
    for (const hex of frames) await a.task({ kind: 'frame', interface: 'eth0', hex });
  };
  /** All earlier packets of A have arrived by then. */
  const settled = async (text: string) =>
    assert.equal(await a.udp('8.8.8.8', 5000, `after ${text}`), 'answered');
  const arrived = async (text: string) =>
    (await bed.net.arrivals()).some((arrival) => arrival.text === text);
  const udpTo = (destination: string, text: string) => ({
    ...{ to: a.bridgeMac, from: a.mac, source: a.address, destination },
    ...{ sourcePort: 4100, port: 5000, text },
  });

  for (const form of [
    '174262537',
    '0x0a636309',
    '012.0143.011.011',
    '0xa.99.2313',
    '::ffff:10.99.9.9',
    '::ffff:a63:909',
    '0xa9fea9fe',
    '::ffff:169.254.169.254',
  ])
    test(`a guarded session cannot reach a private address or metadata written ${form}`, async () => {
      assert.deepEqual(await bed.pair(a, restricted, () => a.tcp(form, 80)), {
        off: 'open',
        on: 'ECONNREFUSED',
      });
    });

  test('a guarded session cannot send fragments of which only the first has a port', async () => {
    let turn = 0;
    const inPieces = (destination: string) => async () => {
      turn += 1;
      const text = `in pieces ${turn}`;
      await send(...udpFragments(udpTo(destination, text), 100 + turn));
      await settled(text);
      return arrived(text);
    };
    assert.deepEqual(await bed.pair(a, restricted, inPieces(target)), { off: true, on: false });
    const listed = (port: number) =>
      ({ mode: 'allowlist', allow: ['8.8.8.8', `93.184.215.14:${port}`] }) as const;
    const toListed = inPieces('93.184.215.14');
    assert.deepEqual(await bed.pair(a, listed(443), toListed), { off: true, on: false });
    assert.deepEqual(await bed.pair(a, listed(5000), toListed), { off: true, on: true });
  });

  test('a guarded session cannot send while its rules are being changed', async () => {
    const flood = async (change: () => Promise<void>) => {
      let changing = true;
      let sent = 0;
      const sending = (async () => {
        while (changing) {
          sent += 1;
          await send(udpFrame(udpTo(target, 'in between')));
        }
      })();
      await change();
      changing = false;
      await sending;
      await settled('in between');
      return sent;
    };
    await bed.guard.put(a.port(restricted));
    const sent = await flood(async () => {
      for (let turn = 0; turn < 8; turn += 1) {
        const looser = { mode: 'allowlist', allow: ['8.8.8.8', '93.184.215.14'] } as const;
        await bed.guard.put(a.port(turn % 2 === 0 ? looser : restricted));
        await bed.guard.put(b.port(turn % 3 === 0 ? { mode: 'open' } : restricted));
      }
    });
    assert.ok(sent > 8, `${sent}`);
    assert.equal(await arrived('in between'), false);
    await flood(() => bed.guard.remove(a.hostName));
    assert.equal(await arrived('in between'), true);
    await bed.guard.remove(b.hostName);
  });

  test('a guarded session gains nothing by a relay, its own or one in a less restricted session', async () => {
    const relayPort = 3128;
    for (const one of [a, b]) await one.task({ kind: 'relay', port: relayPort });
    const probe = () =>
      Promise.all(
        ['127.0.0.1', a.address, b.address].map((address) =>
          a.task({ kind: 'through', address, port: relayPort, target: `${target}:80` }),
        ),
      );
    await bed.guard.put(b.port({ mode: 'open' }));
    const { off, on } = await bed.pair(a, restricted, probe);
    await bed.guard.remove(b.hostName);
    assert.deepEqual(off, ['open', 'open', 'open']);
    assert.deepEqual(on.slice(0, 2), ['ECONNREFUSED', 'ECONNREFUSED']);
    // The other session is not reached at all.
    assert.match(String(on[2]), /^(?:ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH)$/);
  });

  test("a nested network such as Docker's is guarded and reaches the internet", async () => {
    const { inside, close } = await makeNestedNetwork(a.pid, a.gateway);
    try {
      const probe = async () => [
        await inside.tcp(target, 80),
        await inside.tcp('169.254.169.254', 80),
        await inside.tcp('93.184.215.14', 80),
      ];
      assert.deepEqual(await bed.pair(a, restricted, probe), {
        off: ['open', 'open', 'open'],
        on: ['ECONNREFUSED', 'ECONNREFUSED', 'open'],
      });
      assert.deepEqual(await bed.pair(a, { mode: 'allowlist' }, probe), {
        off: ['open', 'open', 'open'],
        on: ['ECONNREFUSED', 'ECONNREFUSED', 'ECONNREFUSED'],
      });
    } finally {
      await close();
    }
  });

  test("a guarded session cannot act as a router on the host's bridge or use multicast DNS", async () => {
    const seen = async (at: Pick<NamespaceAgent, 'task'>, name: string, needle: string) =>
      ((await at.task({ kind: 'sniffed', interface: name })) as string[]).some((hex) =>
        hex.includes(needle),
      );
    const advertise = async () => {
      await seen(host, bridge, 'nothing');
      await send(icmp6Frame({ from: a.mac, type: 134 }));
      await settled('advertised');
      return seen(host, bridge, `${a.mac.replaceAll(':', '')}86dd`);
    };
    assert.deepEqual(await bed.pair(a, restricted, advertise), { off: true, on: false });
    assert.deepEqual(await bed.pair(a, { mode: 'open' }, advertise), { off: true, on: false });
    const announce = async () => {
      await seen(b, 'eth0', 'nothing');
      const multicast = { ...udpTo('224.0.0.251', 'announced'), to: '01:00:5e:00:00:fb' };
      await send(udpFrame({ ...multicast, sourcePort: 5353, port: 5353 }));
      await settled('announced');
      return seen(b, 'eth0', Buffer.from('announced').toString('hex'));
    };
    assert.deepEqual(await bed.pair(a, restricted, announce), { off: true, on: false });
  });
});
