// The client if the daemon is slow, refuses, or is lost.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { WebSocketServer } from 'ws';
import type { ScriptedCommand } from '../../test/fakes/incus/exec.ts';
import { startFakeIncus } from '../../test/fakes/incus/server.ts';
import { IncusError } from './client.ts';
import { incusSocketPath, openIncus } from './open.ts';

const failed = (wanted: { status?: number; errno?: string }) => (error: unknown) => {
  assert.ok(error instanceof IncusError, String(error));
  for (const [key, value] of Object.entries(wanted))
    assert.equal(error[key as 'status'], value, key);
  return true;
};

const lingering: ScriptedCommand = {
  argv: ['linger'],
  run: async ({ stdout, killed }) => {
    stdout.write('up');
    return 128 + (await killed);
  },
};

async function openFake(t: { after(work: () => Promise<void>): void }) {
  const fake = await startFakeIncus({ commands: [lingering] });
  const incus = openIncus({ socketPath: fake.socketPath });
  t.after(async () => {
    incus.close();
    await fake.close();
  });
  return { fake, incus };
}

/** A client of a server that answers as the test defines. */
async function answering(t: { after(work: () => Promise<void>): void }, server: Server) {
  const directory = await mkdtemp(join(tmpdir(), 'coit-http-'));
  server.listen(join(directory, 's'));
  await once(server, 'listening');
  const incus = openIncus({ socketPath: join(directory, 's') });
  t.after(async () => {
    incus.close();
    server.close();
    server.closeAllConnections();
    await rm(directory, { recursive: true });
  });
  return incus;
}

describe('connections', () => {
  it('a missing socket is ENOENT, a file that is not a socket ECONNREFUSED, each with status 0', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'coit-http-'));
    t.after(() => rm(directory, { recursive: true }));
    const at = (name: string) => openIncus({ socketPath: join(directory, name) }).server();
    await assert.rejects(at('none'), failed({ status: 0, errno: 'ENOENT' }));
    await writeFile(join(directory, 'file'), '');
    await assert.rejects(at('file'), failed({ status: 0, errno: 'ECONNREFUSED' }));
  });

  it('a daemon that does not answer in time is ETIMEDOUT', async (t) => {
    const { fake, incus } = await openFake(t);
    const release = Promise.withResolvers<void>();
    fake.faults.inject({
      path: /^\/1.0$/,
      nth: 1,
      fault: { kind: 'hold', until: release.promise, when: 'before' },
    });
    await assert.rejects(
      incus.server({ timeoutMs: 50 }),
      failed({ status: 0, errno: 'ETIMEDOUT' }),
    );
    release.resolve();
    await incus.server();
  });

  it("an aborted call rejects with the signal's reason, even if aborted before", async (t) => {
    const { fake, incus } = await openFake(t);
    const release = Promise.withResolvers<void>();
    fake.faults.inject({
      path: /^\/1.0$/,
      nth: 1,
      fault: { kind: 'hold', until: release.promise, when: 'before' },
    });
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const call = incus.server({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(call, reason);
    await assert.rejects(incus.server({ signal: controller.signal }), reason);
    release.resolve();
  });

  it('a connection that is cut before the answer is ECONNRESET, and the next call works', async (t) => {
    const { fake, incus } = await openFake(t);
    fake.faults.inject({
      method: 'PATCH',
      path: /instances/,
      nth: 1,
      fault: { kind: 'drop', when: 'before' },
    });
    await assert.rejects(incus.updateInstance('x', {}), failed({ status: 0, errno: 'ECONNRESET' }));
    await assert.rejects(incus.updateInstance('x', {}), failed({ status: 404 }));
  });

  it('a kept-alive connection that the daemon closed does not fail a read', async (t) => {
    const { fake, incus } = await openFake(t);
    await incus.server();
    fake.faults.inject({ path: /^\/1.0$/, nth: 1, fault: { kind: 'drop', when: 'before' } });
    await incus.server();
    assert.equal(fake.requests.filter((request) => request === 'GET /1.0').length, 3);
  });

  it('a write is never sent twice', async (t) => {
    const { fake, incus } = await openFake(t);
    await incus.server();
    fake.faults.inject({
      method: 'POST',
      path: /networks/,
      nth: 1,
      fault: { kind: 'drop', when: 'after' },
    });
    const network = { name: 'n', type: 'bridge', config: {} } as const;
    await assert.rejects(incus.createNetwork(network), failed({ status: 0, errno: 'ECONNRESET' }));
    assert.equal(fake.requests.filter((request) => request.startsWith('POST')).length, 1);
  });

  it('an answer that is not an envelope is EPROTO with its HTTP status', async (t) => {
    const incus = await answering(
      t,
      createServer((_, response) => response.writeHead(502).end('<html>')),
    );
    await assert.rejects(incus.server(), failed({ status: 502, errno: 'EPROTO' }));
  });

  it('a truncated answer is ECONNRESET', async (t) => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('{"type":', () => response.destroy());
    });
    const incus = await answering(t, server);
    await assert.rejects(incus.server(), failed({ status: 0, errno: 'ECONNRESET' }));
  });

  it('data sockets that close before the control socket opens do not block the caller for ever', async (t) => {
    const fds = { '0': '0', '1': '1', '2': '2', control: 'control' };
    const operation = {
      id: 'x',
      status: 'Success',
      status_code: 200,
      metadata: { fds, return: 2 },
    };
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
    const incus = await answering(t, server);
    t.after(() => {
      for (const client of sockets.clients) client.terminate();
    });
    const call = incus.execCaptured('one', { command: ['false'] }, { timeoutMs: 5000 });
    await assert.rejects(call, ({ lostAtStart }: IncusError) => lostAtStart);
  });

  it('a captured exec can be interrupted while Incus is still opening it', {
    timeout: 20_000,
  }, async (t) => {
    const { fake, incus } = await openFake(t);
    fake.state.addInstance('one', { status: 'Running' });
    const fault = { kind: 'hold', when: 'before', until: new Promise(() => {}) } as const;
    fake.faults.inject({ method: 'POST', path: /exec/, nth: 1, fault });
    const controller = new AbortController();
    const requested = fake.nextRequest('POST', /exec/);
    const call = incus.execCaptured('one', { command: ['linger'] }, { signal: controller.signal });
    await requested;
    const reason = new Error('enough');
    controller.abort(reason);
    await assert.rejects(call, reason);
  });

  it('a program that made calls exits without closing the client', async (t) => {
    const { fake } = await openFake(t);
    const open = fileURLToPath(new URL('./open.ts', import.meta.url));
    const script = `const { openIncus } = await import(${JSON.stringify(open)});
      await openIncus({ socketPath: ${JSON.stringify(fake.socketPath)} }).instances();
      console.log('done');`;
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 20_000,
    });
    assert.equal((await run).stdout, 'done\n');
  });

  it('loading the client loads neither websockets nor undici', async () => {
    const open = fileURLToPath(new URL('./open.ts', import.meta.url));
    const script = `const { openIncus } = await import(${JSON.stringify(open)});
      openIncus({ socketPath: '/nonexistent' });
      console.log(process.moduleLoadList.filter((name) => /undici|zlib/.test(name)).join());`;
    const args = ['--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    assert.equal(stdout, '\n');
  });
});

describe('operations', () => {
  it('a failed operation is an error with its status and text', async (t) => {
    const { fake, incus } = await openFake(t);
    fake.faults.inject({
      method: 'POST',
      path: /instances$/,
      nth: 1,
      fault: { kind: 'fail-operation', message: 'no space left' },
    });
    const operation = await incus.createInstance({
      name: 'x',
      type: 'container',
      source: { type: 'none' },
    });
    await assert.rejects(
      operation.wait(),
      (error: unknown) => failed({ status: 400 })(error) && /no space left/.test(String(error)),
    );
  });

  it('a daemon that dies during a wait for an operation ends the wait', async (t) => {
    const { fake, incus } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    const exec = await incus.execPiped('c', { command: ['linger'] });
    await once(exec.stdout, 'data');
    fake.cutAll();
    await assert.rejects(exec.status, failed({ status: 0, errno: 'ECONNRESET' }));
    assert.ok(!exec.stdout.readableEnded);
  });
});

describe('exec', () => {
  it('an exec whose sockets cannot be opened fails and leaves nothing waiting', async (t) => {
    const { fake, incus } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    fake.faults.inject({
      method: 'GET',
      path: /websocket/,
      nth: 2,
      fault: { kind: 'fail', status: 404, message: '' },
    });
    await assert.rejects(
      incus.execPiped('c', { command: ['linger'] }),
      failed({ status: 0, errno: 'EPROTO' }),
    );
  });

  it('a write to a command that has ended is dropped without an error', async (t) => {
    const { fake, incus } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    const exec = await incus.execPiped('c', { command: ['linger'] });
    exec.stdout.resume();
    exec.stderr.resume();
    exec.signal(15);
    assert.equal(await exec.status, 143);
    await new Promise((resolve) => exec.stdin.write('late', resolve));
  });
});

describe('the socket', () => {
  it("the socket comes from INCUS_SOCKET, then INCUS_DIR, then the packages' paths", () => {
    assert.equal(incusSocketPath({ INCUS_SOCKET: '/a', INCUS_DIR: '/b' }), '/a');
    assert.equal(incusSocketPath({ INCUS_DIR: '/b' }), '/b/unix.socket');
    assert.equal(
      incusSocketPath({}, () => true),
      '/run/incus/unix.socket',
    );
    assert.equal(
      incusSocketPath({}, () => false),
      '/var/lib/incus/unix.socket',
    );
  });
});
