// The guard as coid maintains it: active before the container, after every failure, and removed with it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Reservation } from '../../src/coid-api/session-protocol.ts';
import { tableNames } from '../../src/daemon/network/table-names.ts';
import { CoiError } from '../../src/errors.ts';
import { keys } from '../../src/instance-keys.ts';
import { defaultPolicy } from '../../src/network/policy.ts';
import { mustRun, runCommand } from '../bed/command.ts';
import { removeInstance } from '../bed/incus.ts';
import { type CoidBed, makeCoidBed } from '../incus/coid-bed.ts';
import { type Internet, openInternet, resolver } from './internet.ts';
import { enter, type NamespaceAgent } from './tenant.ts';

const limitMs = 60_000;

/** Retries until the condition holds; each try is a packet and its answer, or a listing, not a delay. */
async function until(probe: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await probe())) assert.ok(performance.now() < deadline, `not so after ${limitMs} ms`);
}

describe('coid', () => {
  let bed: CoidBed;
  let net: Internet;
  let table: string;
  const agents: NamespaceAgent[] = [];
  const allowlist = {
    ...defaultPolicy('allowlist'),
    allow: ['www.example.org'],
    dnsServers: [resolver],
  };

  before(async () => {
    net = await openInternet();
    bed = await makeCoidBed();
    table = tableNames(bed.daemon.runDir).table;
    await net.zone({
      'www.example.org': {
        answers: [{ name: 'www.example.org', type: 'A', ttl: 1, data: '104.16.1.1' }],
      },
    });
    for (const address of ['10.99.9.9', '8.8.8.8', '104.16.1.1', '93.184.215.14'])
      await net.assertEnclosed(address);
  });
  after(async () => {
    for (const agent of agents) agent.stop();
    await bed?.[Symbol.asyncDispose]();
    await net?.close();
  });

  const inside = async ({ container, nic }: Reservation) => {
    const agent = await enter(bed.incus, container, nic.gateway);
    agents.push(agent);
    return agent;
  };
  /** Incus refuses to stop it while coid marks it live: then once more. */
  const end = ({ container }: Reservation) =>
    until(async () => {
      await removeInstance(bed.incus, container).catch(() => undefined);
      return (await bed.incus.instance(container)) === undefined;
    });
  const isGuarded = async (agent: NamespaceAgent) =>
    (await agent.tcp('10.99.9.9', 80)) === 'ECONNREFUSED' &&
    (await agent.tcp('8.8.8.8', 80)) === 'open';
  const tables = async () => {
    const families = ['bridge', 'inet'];
    const list = (family: string) => runCommand(['nft', 'list', 'table', family, table]);
    return (await Promise.all(families.map(list))).map(({ stdout }) => stdout).join('\n');
  };
  const listed = async (text: string) => {
    // Not 10.77.0.5 in 10.77.0.57.
    const whole = new RegExp(`(?<![\\d.])${text.replaceAll('.', '\\.')}(?!\\d)`);
    return whole.test(await tables());
  };

  test('coid guards a session as requested, and an open one not', async () => {
    const [restricted, open, listedOnly] = [
      await bed.session({ policy: defaultPolicy('restricted') }),
      await bed.session(),
      await bed.session({ policy: allowlist }),
    ];
    const [first, second, third] = [
      await inside(restricted),
      await inside(open),
      await inside(listedOnly),
    ];
    assert.equal(await isGuarded(first), true);
    assert.equal(await second.tcp('10.99.9.9', 80), 'open');
    assert.equal(await third.tcp('8.8.8.8', 80), 'ECONNREFUSED');
    assert.equal((await third.dns('www.example.org')).rcode, 'NOERROR');
    assert.equal(await third.tcp('104.16.1.1', 80), 'open');
    await Promise.all([end(restricted), end(open), end(listedOnly)]);
  });

  test("coid applies the guard before the container's first packet", async () => {
    const chatter =
      '#!/bin/bash\nwhile :; do for a in 10.99.9.9 93.184.215.14; do (echo -n "$HOSTNAME" > /dev/udp/$a/5000) 2> /dev/null; done; done\n';
    const talk = async (policy: ReturnType<typeof defaultPolicy>) => {
      const session = await bed.session({ policy, start: false });
      await bed.incus.writeFile(session.container, '/chatter', Buffer.from(chatter), {
        mode: 0o755,
        uid: 0,
        gid: 0,
      });
      const found = await bed.incus.instance(session.container);
      await bed.incus.updateInstance(session.container, {
        config: { 'raw.lxc': `${found?.instance.config['raw.lxc']}\nlxc.init.cmd = /chatter` },
      });
      const start = await bed.incus.changeState(session.container, { action: 'start' });
      await start.wait();
      // Between two packets to the public address is one to the private address.
      let heard = 0;
      await net.arrival(
        ({ address, text }) =>
          address === '93.184.215.14' && text === session.container && ++heard === 2,
      );
      await end(session);
      return (await net.arrivals()).some(
        ({ address, text }) => address === '10.99.9.9' && text === session.container,
      );
    };
    assert.equal(await talk(defaultPolicy('open')), true);
    assert.equal(await talk(defaultPolicy('restricted')), false);
  });

  test('a killed coid leaves the guard in place, and the next one continues it', async () => {
    const session = await bed.session({ policy: allowlist });
    const agent = await inside(session);
    const answer = await agent.dns('www.example.org');
    assert.equal(answer.rcode, 'NOERROR', JSON.stringify(answer));
    await bed.daemon.crash();
    assert.equal(await agent.tcp('10.99.9.9', 80), 'ECONNREFUSED');
    assert.equal(await agent.tcp('8.8.8.8', 80), 'ECONNREFUSED');
    // Open connections stay open; names that would need a DNS query are not opened.
    assert.equal(await agent.tcp('104.16.1.1', 80), 'open', await tables());
    assert.ok((await agent.dns('www.example.org')).error);
    await bed.daemon.start();
    assert.equal(await agent.tcp('104.16.1.1', 80), 'open');
    await until(async () => (await agent.dns('www.example.org')).rcode === 'NOERROR');
    await end(session);
  });

  test('coid restores flushed rules without being notified', async () => {
    const session = await bed.session({ policy: defaultPolicy('restricted') });
    const agent = await inside(session);
    assert.equal(await isGuarded(agent), true);
    await mustRun(['nft', 'delete', 'table', 'inet', table]);
    await until(() => isGuarded(agent));
    await mustRun(['nft', 'flush', 'table', 'bridge', table]);
    await mustRun(['nft', 'delete', 'table', 'bridge', table]).catch(() => undefined);
    await until(() => listed(session.nic.mac));
    await mustRun(['nft', 'flush', 'chain', 'inet', table, 'forward']);
    await until(() => isGuarded(agent));
    await end(session);
  });

  test('coid keeps the guard through a restart of the container and a reboot inside', async () => {
    const session = await bed.session({ policy: defaultPolicy('restricted'), persistent: true });
    const restart = await bed.incus.changeState(session.container, {
      action: 'restart',
      force: true,
    });
    await restart.wait();
    assert.equal(await isGuarded(await inside(session)), true);
    await bed.sh(session.container, 'reboot', 'root');
    await bed.lifecycle.until('instance-restarted', session.container, 2);
    assert.equal(await isGuarded(await inside(session)), true);
    await end(session);
  });

  test("coid removes a container's rules with the container, and only those", async () => {
    const [stays, goes] = [
      await bed.session({ policy: defaultPolicy('restricted') }),
      await bed.session({ policy: allowlist }),
    ];
    assert.equal(await listed(goes.nic.hostName), true);
    await end(goes);
    await until(
      async () => !(await listed(goes.nic.hostName)) && !(await listed(goes.nic.address)),
    );
    assert.equal(await isGuarded(await inside(stays)), true);
    await end(stays);
  });

  test('coid removes the guard of a released reservation', async () => {
    const reservation = await bed.coid.reserve({
      ...bed.request(await bed.directory(0)),
      network: 'restricted',
    });
    assert.equal(await listed(reservation.nic.hostName), true);
    await bed.coid.release(reservation.id);
    await until(async () => !(await listed(reservation.nic.hostName)));
  });

  test('coid refuses another mode next to a live session of the workspace, its parents or subdirectories', async () => {
    const workspace = await bed.directory(0);
    await mustRun(['mkdir', `${workspace}/sub`]);
    const session = await bed.session({ workspace, policy: defaultPolicy('restricted') });
    const code = async (path: string, network: 'open' | 'allowlist' | 'restricted') => {
      try {
        const reservation = await bed.coid.reserve({ ...bed.request(path), network });
        await bed.coid.release(reservation.id);
        return 'reserved';
      } catch (error) {
        return error instanceof CoiError ? error.code : String(error);
      }
    };
    assert.equal(await code(workspace, 'open'), 'network-mode');
    assert.equal(await code(workspace, 'allowlist'), 'network-mode');
    assert.equal(await code(`${workspace}/sub`, 'open'), 'network-mode');
    assert.equal(await code(workspace, 'restricted'), 'reserved');
    assert.equal(await code(await bed.directory(0), 'open'), 'reserved');
    await end(session);
    await until(async () => (await code(workspace, 'open')) === 'reserved');
  });

  test('coid reports refused connections of a session, and permits an address temporarily', async () => {
    const session = await bed.session({ policy: allowlist });
    const agent = await inside(session);
    assert.equal(await agent.tcp('93.184.215.14', 80), 'ECONNREFUSED');
    await agent.dns('evil.test');
    const report = await bed.coid.network(session.container);
    assert.equal(report.inForce, true);
    assert.ok(
      report.denials.some(
        ({ address, port, protocol }) =>
          `${protocol} ${address}:${port}` === 'tcp 93.184.215.14:80',
      ),
    );
    assert.deepEqual(
      report.names.map(({ name }) => name),
      ['evil.test'],
    );
    await bed.coid.permit(session.container, {
      id: session.id,
      entry: '93.184.215.14:80',
      forMs: 60_000,
    });
    assert.equal(await agent.tcp('93.184.215.14', 80), 'open');
    await assert.rejects(
      bed.coid.permit(session.container, {
        id: session.id,
        entry: '169.254.169.254',
        forMs: 60_000,
      }),
      (error) => error instanceof CoiError && error.code === 'usage',
    );
    await bed.coid.permit(session.container, {
      id: session.id,
      entry: '93.184.215.14:80',
      forMs: 1,
    });
    await until(async () => (await agent.tcp('93.184.215.14', 80)) === 'ECONNREFUSED');
    await end(session);
  });

  test('coid ends a session at its time limit', async () => {
    const session = await bed.session({ policy: defaultPolicy('restricted') });
    await bed.incus.updateInstance(session.container, {
      config: { [keys.maxDuration]: '1 force' },
    });
    await until(async () => (await bed.incus.instance(session.container)) === undefined);
  });

  test('coid leaves no table behind if it stops and nothing is guarded', async () => {
    await until(async () => !(await listed('10:66:6a')));
    const { pid } = (await bed.daemon.status()) ?? { pid: 0 };
    process.kill(pid, 'SIGTERM');
    await until(async () => !(await mustRun(['nft', 'list', 'tables'])).stdout.includes(table));
    await bed.daemon.start();
  });
});
