// Lies on the wire: what leaves a guarded port has its own MAC and address, and says nothing about others. In pairs.
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
  /** What A sent before this has come wherever it goes, since it takes the same way. */
  const settled = async () => {
    turn += 1;
    assert.equal(await a.udp('8.8.8.8', 5000, `settled ${turn}`), 'answered');
  };
  /** Whether B's card saw a frame with that in it. */
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
    return bed.net.arrivals.some((arrival) => arrival.text === text);
  };
  const other = () => a.address.replace(/\d+$/, (last) => String(Number(last) - 100));

  test('sends what is its own', async () => {
    assert.deepEqual(await bed.pair(a, restricted, () => arrived({})), { off: true, on: true });
  });

  test('cannot send from another address', async () => {
    assert.deepEqual(await bed.pair(a, restricted, () => arrived({ source: other() })), {
      off: true,
      on: false,
    });
  });

  test('cannot send from the address of another session', async () => {
    await bed.guard.put(b.port({ mode: 'open' }));
    assert.deepEqual(await bed.pair(a, restricted, () => arrived({ source: b.address })), {
      off: true,
      on: false,
    });
    await bed.guard.remove(b.hostName);
  });

  test('cannot send from another MAC', async () => {
    assert.deepEqual(await bed.pair(a, restricted, () => arrived({ from: '10:66:6a:ff:ff:01' })), {
      off: true,
      on: false,
    });
  });

  test('is pinned in open mode as well', async () => {
    assert.deepEqual(await bed.pair(a, { mode: 'open' }, () => arrived({ source: other() })), {
      off: true,
      on: false,
    });
    assert.deepEqual(await bed.pair(a, { mode: 'open' }, () => arrived({})), {
      off: true,
      on: true,
    });
  });

  test('cannot use a second address that its root gave it', async () => {
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

  test('cannot be left through an interface of another MAC on the same card', async () => {
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

  test('cannot tell the host or a neighbour that it is somebody else', async () => {
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

  test('cannot play the DHCP server, also in open mode', async () => {
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

  test('has no IPv6; in open mode it has, but cannot play the router', async () => {
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

  test('sends no other kind of frame: tagged, raw or of the bridge protocols', async () => {
    const odd = (to: string, type: number) => async () => {
      turn += 1;
      const mark = `c0ffee${turn.toString(16).padStart(8, '0')}`;
      // A tag, where the type means one, and the type behind it.
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

  test('gives nothing away to a neighbour, and hears nothing from it', async () => {
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

  test('is guarded whatever its root calls the interface, and gets nowhere with another MAC', async () => {
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
