// Queries to name servers: unreachable ones cost no time, and late events do no harm.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { queryDns } from './dns-client.ts';

/** `a.` IN A, as a question. */
const question = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1]);

/** The kernel refuses to connect there (EACCES), so nothing is sent. */
const noWay = '255.255.255.255';

async function server(t: { after(work: () => void): void }): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (asked, { port, address }) => {
    const reply = Buffer.from(asked);
    reply.writeUInt8(0x81, 2);
    socket.send(reply, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

test('unreachable servers are skipped at once', async (t) => {
  const answering = await server(t);
  // Waiting for each of the four would exceed the limit of the query.
  const reply = await queryDns({
    servers: [noWay, noWay, noWay, noWay, answering],
    message: question,
  });
  assert.equal(reply?.readUInt8(2), 0x81);
});

test('with no reachable server there is no reply and no error', async () => {
  for (const servers of [[noWay], ['127.0.0.1:99999'], []])
    assert.equal(await queryDns({ servers, message: question }), undefined, String(servers));
  const signal = AbortSignal.abort();
  assert.equal(await queryDns({ servers: [noWay], message: question, signal }), undefined);
});
