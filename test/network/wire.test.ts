// Spoofing: frames that leave a guarded port have its own MAC and address, and make no claims about others. In pairs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { mustRun } from '../bed/command.ts';
import { type NetworkBed, openNetworkBed } from './bed.ts';
import { arpFrame, broadcast, frame, icmp6Frame, udpFrame } from './frames.ts';
import type { Tenant } from './tenant.ts';

const words = (text: string) => text.split(' ');

describe('a guarded port', () => {
  let bed: NetworkBed;
  let a: Tenant;
  let b: Tenant;
  let turn = 0;
  const restricted = { mode: 'restricted' } as const;

  before(async () => {
    bed = await openNetworkBed();
    [a, b] = await Promise.all([bed.tenant(), bed.tenant()]);
    await b.task({ kind: 'sniff', interface: 'eth0' });
  });
  after(() => bed?.close());

  const send = (hex: string) => a.task({ kind: 'frame', interface: 'eth0', hex });
  /** All earlier frames of A have arrived by then, since they take the same path. */
  const settled = async () => {
    turn += 1;
    assert.equal(await a.udp('8.8.8.8', 5000, `settled ${turn}`), 'answered');
  };
  /** Whether B's card received a frame that contains it. */
  const seenByB = async (needle: string) =>
    ((await b.task({ kind: 'sniffed', interface: 'eth0' })) as string[]).some((hex) =>
      hex.includes(needle),
    );
  const arrived = async (overrides: Partial<Parameters<typeof udpFrame>[0]>) => {
    turn += 1;
    const text = `lie ${turn}`;
    await send(
      udpFrame({
        to: a.bridgeMac,
        from: a.mac,
        source: a.address,
        destination: '8.8.8.8',
        sourcePort: 5000 + turn,
        port: 5000,
        text,
        ...overrides,
      }),
    );
    await settled();
    return (await bed.net.arrivals()).some((arrival) => arrival.text === text);
  };
  const other = () => a.address.replace(/\d+$/, (last) => String(Number(last) - 100));

  test('a guarded port sends from its own address', async () => {
    assert.deepEqual(await bed.pair(a, restricted, () => arrived({})), { off: true, on: true });
  });

  test('a guarded port cannot send from another address', async () => {
    assert.deepEqual(await bed.pair(a, restricted, () => arrived({ source: other() })), {
      off: true,
      on: false,
    });
  });

  test("a guarded port cannot send from another session's address", async () => {
    await bed.guard.put(b.port({ mode: 'open' }));
    assert.deepEqual(await bed.pair(a, restricted, () => arrived({ source: b.address })), {
      off: true,
      on: false,
    });
    await bed.guard.remove(b.hostName);
  });

  test('a guarded port cannot send from another MAC', async () => {
    assert.deepEqual(await bed.pair(a, restricted, () => arrived({ from: '10:66:6a:ff:ff:01' })), {
      off: true,
      on: false,
    });
  });

  test('a port in open mode has its address and MAC fixed too', async () => {
    assert.deepEqual(await bed.pair(a, { mode: 'open' }, () => arrived({ source: other() })), {
      off: true,
      on: false,
    });
    assert.deepEqual(await bed.pair(a, { mode: 'open' }, () => arrived({})), {
      off: true,
      on: true,
    });
  });

  test('a guarded port cannot use a second address that container root adds', async () => {
    await a.ip('address', 'add', `${other()}/32`, 'dev', 'eth0');
    await a.ip(...words(`route replace 93.184.215.14/32 via ${a.gateway} dev eth0 src ${other()}`));
    await bed.net.assertEnclosed('93.184.215.14');
    assert.deepEqual(await bed.pair(a, restricted, () => a.udp('93.184.215.14', 5000)), {
      off: 'answered',
      on: 'ETIMEDOUT',
    });
    await a.ip('route', 'delete', '93.184.215.14/32');
    await a.ip('address', 'delete', `${other()}/32`, 'dev', 'eth0');
  });

  test('a guarded port cannot be bypassed by a macvlan interface with another MAC', async () => {
    await a.ip('link', 'add', 'mv0', 'link', 'eth0', 'type', 'macvlan', 'mode', 'bridge');
    await a.ip('link', 'set', 'mv0', 'up');
    await a.ip('address', 'add', `${other()}/22`, 'dev', 'mv0');
    await a.ip('route', 'replace', '104.16.1.1/32', 'via', a.gateway, 'dev', 'mv0', 'src', other());
    assert.deepEqual(await bed.pair(a, restricted, () => a.udp('104.16.1.1', 5000)), {
      off: 'answered',
      on: 'ETIMEDOUT',
    });
    await a.ip('link', 'delete', 'mv0');
  });

  test('a guarded port cannot spoof ARP to the host or a neighbour', async () => {
    const victim = other();
    const claimToHost = async () => {
      await mustRun(
        words(`ip neigh replace ${victim} lladdr 10:66:6a:00:00:99 nud stale dev coibr0`),
      );
      await send(
        arpFrame({
          to: a.bridgeMac,
          from: a.mac,
          claimed: victim,
          claimedMac: a.mac,
        }),
      );
      await settled();
      const { stdout } = await mustRun(['ip', 'neigh', 'show', victim, 'dev', 'coibr0']);
      return stdout.includes(a.mac);
    };
    assert.deepEqual(await bed.pair(a, restricted, claimToHost), { off: true, on: false });
    await mustRun(['ip', 'neigh', 'delete', victim, 'dev', 'coibr0']);
    const claimToB = async () => {
      await b.ip(...words(`neigh replace ${a.gateway} lladdr ${a.bridgeMac} nud stale dev eth0`));
      await send(
        arpFrame({
          to: b.mac,
          from: a.mac,
          claimed: a.gateway,
          claimedMac: a.mac,
        }),
      );
      await settled();
      return (await b.ip('neigh', 'show', a.gateway, 'dev', 'eth0')).includes(a.mac);
    };
    assert.deepEqual(await bed.pair(a, restricted, claimToB), { off: true, on: false });
    await b.ip(...words(`neigh replace ${a.gateway} lladdr ${a.bridgeMac} nud reachable dev eth0`));
  });

  test('a guarded port cannot act as a DHCP server, not even in open mode', async () => {
    const offer = async () => {
      turn += 1;
      const text = `offer ${turn}`;
      await send(
        udpFrame({
          to: broadcast,
          from: a.mac,
          source: a.address,
          destination: '255.255.255.255',
          sourcePort: 67,
          port: 68,
          text,
        }),
      );
      await settled();
      return seenByB(Buffer.from(text).toString('hex'));
    };
    assert.deepEqual(await bed.pair(a, restricted, offer), { off: true, on: false });
    assert.deepEqual(await bed.pair(a, { mode: 'open' }, offer), { off: true, on: false });
  });

  test('a guarded port has no IPv6; in open mode it has, but cannot act as a router', async () => {
    const message = (type: number) => async () => {
      await b.task({ kind: 'sniffed', interface: 'eth0' });
      await send(icmp6Frame({ from: a.mac, type }));
      await settled();
      return seenByB(
        `fe800000000000000000000000000001ff02000000000000000000000000000${'1'}${type.toString(16).padStart(2, '0')}`,
      );
    };
    const [router, echo] = [134, 128];
    assert.deepEqual(await bed.pair(a, restricted, message(router)), { off: true, on: false });
    assert.deepEqual(await bed.pair(a, restricted, message(echo)), { off: true, on: false });
    assert.deepEqual(await bed.pair(a, { mode: 'open' }, message(router)), {
      off: true,
      on: false,
    });
    assert.deepEqual(await bed.pair(a, { mode: 'open' }, message(echo)), { off: true, on: true });
  });

  test('a guarded port sends no other frames: tagged, raw or of bridge protocols', async () => {
    const odd = (to: string, type: number) => async () => {
      turn += 1;
      const mark = `c0ffee${turn.toString(16).padStart(8, '0')}`;
      // A tag in the type field, followed by the real type.
      await send(frame(to, a.mac, type, Buffer.from(`00011234${mark}`, 'hex')));
      await settled();
      return seenByB(mark);
    };
    for (const type of [0x8100, 0x88a8, 0x88cc, 0x1234])
      assert.deepEqual(
        await bed.pair(a, restricted, odd(broadcast, type)),
        { off: true, on: false },
        type.toString(16),
      );
  });

  test('a guarded port neither leaks to nor receives from a neighbour', async () => {
    const whisper = async () => {
      turn += 1;
      const text = `whisper ${turn}`;
      await send(
        udpFrame({
          to: b.mac,
          from: a.mac,
          source: a.address,
          destination: b.address,
          sourcePort: 1,
          port: 2,
          text,
        }),
      );
      await settled();
      return seenByB(Buffer.from(text).toString('hex'));
    };
    assert.deepEqual(await bed.pair(a, restricted, whisper), { off: true, on: false });
    await a.task({ kind: 'sniff', interface: 'eth0' });
    const overheard = async () => {
      turn += 1;
      const text = `overheard ${turn}`;
      await a.task({ kind: 'sniffed', interface: 'eth0' });
      await b.task({
        kind: 'frame',
        interface: 'eth0',
        hex: udpFrame({
          to: broadcast,
          from: b.mac,
          source: b.address,
          destination: '255.255.255.255',
          sourcePort: 1,
          port: 2,
          text,
        }),
      });
      await b.udp('8.8.8.8', 5000, `after ${text}`);
      return ((await a.task({ kind: 'sniffed', interface: 'eth0' })) as string[]).some((hex) =>
        hex.includes(Buffer.from(text).toString('hex')),
      );
    };
    assert.deepEqual(await bed.pair(a, restricted, overheard), { off: true, on: false });
  });

  test('a guarded port stays guarded if container root renames the interface or changes its MAC', async () => {
    const rename = async (from: string, to: string) => {
      await a.ip('link', 'set', from, 'down');
      await a.ip('link', 'set', from, 'name', to);
      await a.ip('link', 'set', to, 'up');
      await a.ip('route', 'replace', 'default', 'via', a.gateway, 'dev', to);
    };
    await rename('eth0', 'lan7');
    assert.deepEqual(await bed.pair(a, restricted, () => a.tcp('10.99.9.9', 80)), {
      off: 'open',
      on: 'ECONNREFUSED',
    });
    await rename('lan7', 'eth0');
    await a.ip('link', 'set', 'eth0', 'address', '10:66:6a:ff:ff:02');
    assert.deepEqual(await bed.pair(a, restricted, () => a.udp('8.8.8.8', 5000)), {
      off: 'answered',
      on: 'ETIMEDOUT',
    });
    await a.ip('link', 'set', 'eth0', 'address', a.mac);
    assert.equal(await a.udp('8.8.8.8', 5000), 'answered');
  });
});
