// A command whose sockets are lost before all of them are open: its status is told all the same.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { openIncus } from './open.ts';

test('data sockets that close before the control socket is open do not keep the caller for ever', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'coit-exec-'));
  const fds = { '0': '0', '1': '1', '2': '2', control: 'control' };
  const operation = { id: 'x', status: 'Success', status_code: 200, metadata: { fds, return: 2 } };
  const server = createServer((request, response) => {
    const type = request.method === 'POST' ? 'async' : 'sync';
    request.resume();
    response.end(JSON.stringify({ type, status_code: 200, metadata: operation }));
  });
  const sockets = new WebSocketServer({ noServer: true });
  const lost: Promise<unknown>[] = [];
  const both = Promise.withResolvers<void>();
  server.on('upgrade', async (request, socket, head) => {
    const secret = new URL(request.url ?? '', 'http://incus').searchParams.get('secret');
    if (secret === 'control') await both.promise;
    sockets.handleUpgrade(request, socket, head, (opened) => {
      if (secret !== '1' && secret !== '2') return;
      lost.push(once(opened, 'close'));
      opened.terminate();
      if (lost.length === 2) Promise.all(lost).then(() => both.resolve(), both.reject);
    });
  });
  server.listen(join(directory, 's'));
  await once(server, 'listening');
  const incus = openIncus({ socketPath: join(directory, 's') });
  t.after(async () => {
    incus.close();
    server.close();
    server.closeAllConnections();
    for (const client of sockets.clients) client.terminate();
    await rm(directory, { recursive: true });
  });
  const { status } = await incus.execCaptured('one', { command: ['false'] }, { timeoutMs: 5000 });
  assert.equal(status, 2);
});
