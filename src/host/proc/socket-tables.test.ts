// A missed socket would go unnoticed, so each new one is in the next sample.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { Allowance, runToEnd } from './allowance.ts';
import { directReader } from './bounded-read.ts';
import { networkNamespace } from './processes.ts';
import { type Network, SocketTables } from './socket-tables.ts';

/** The clock does not advance: time is unlimited. */
const unlimited = () => new Allowance(() => 0);
const here = { procPath: process.pid, matters: true, own: true } as const;

/** Reads the namespace of this test. */
function looks(): () => ReadonlySet<string> {
  const tables = new SocketTables();
  const networks = new Map([[networkNamespace('self', directReader) ?? '', here]]);
  return () => {
    const { sockets } = runToEnd(tables.read(networks, unlimited()));
    return new Set(
      sockets.map(
        ({ protocol, localPort, remotePort }) => `${protocol} ${localPort} ${remotePort}`,
      ),
    );
  };
}

test('a new listener is in the next sample', async () => {
  const look = looks();
  for (let round = 0; round < 3; round += 1) {
    look();
    await using server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.ok(look().has(`tcp ${port} 0`), `round ${round}`);
  }
});

test('a datagram socket that gets a remote end is in the next sample, though the counts do not change', async () => {
  const look = looks();
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  assert.ok(look().has(`udp ${port} 0`));
  socket.connect(5001, '127.0.0.1');
  await once(socket, 'connect');
  assert.ok(look().has(`udp ${port} 5001`));
  socket.close();
});

test("the container's own namespace is in every sample, whatever else waits", async () => {
  // Nothing answers for them, so they are always more urgent, and there is time for three of them.
  const gone = { procPath: 2 ** 22 + 1, matters: true, own: false } as const;
  const others = Array.from({ length: 50 }, (_, index): [string, Network] => [`${index}`, gone]);
  const networks = new Map([...others, ['own', here] as const]);
  const tables = new SocketTables();
  let nowMs = 0;
  const hurried = () => {
    nowMs += 20;
    return nowMs;
  };
  await using servers = new AsyncDisposableStack();
  for (let round = 0; round < 8; round += 1) {
    const server = servers.use(createServer().listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const { sockets, networksLate } = runToEnd(tables.read(networks, new Allowance(hurried)));
    assert.ok(
      sockets.some(({ localPort }) => localPort === port),
      `round ${round}`,
    );
    assert.equal(networksLate > 0, round >= 5);
  }
});
