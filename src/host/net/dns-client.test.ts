// Asking name servers: what cannot be reached costs no time, and no late event hurts.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { askDns } from './dns-client.ts';

/** `a.` IN A, as a question. */
const question = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1]);

/** The kernel refuses to connect there (EACCES), so nothing is sent anywhere. */
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

test('servers that cannot be reached are passed over at once', async (t) => {
  const good = await server(t);
  // Waited for, four of them would take longer than the whole question may.
  const reply = await askDns({ servers: [noWay, noWay, noWay, noWay, good], message: question });
  assert.equal(reply?.readUInt8(2), 0x81);
});

test('where no server can be reached there is no reply, and no error', async () => {
  for (const servers of [[noWay], ['127.0.0.1:99999'], []])
    assert.equal(await askDns({ servers, message: question }), undefined, String(servers));
  const signal = AbortSignal.abort();
  assert.equal(await askDns({ servers: [noWay], message: question, signal }), undefined);
});
