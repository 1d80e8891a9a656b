// coid's server with failing parts: after a failed request, coid answers the next one.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Coid, openCoid } from '../../coid-api/client.ts';
import type { DaemonStatus } from '../../coid-api/protocol.ts';
import { protocolVersion } from '../../coid-api/protocol.ts';
import { CoiError } from '../../errors.ts';
import { IncusError } from '../../incus/client.ts';
import type { Log } from '../log.ts';
import { daemonServer, type ServerParts } from './server.ts';

const status: DaemonStatus = {
  ...{
    protocol: protocolVersion,
    version: '0',
    pid: 1,
    startedAt: '',
    incus: 'connected',
    sessions: 0,
  },
  ...{ leases: 0, guard: 'ok' },
} as unknown as DaemonStatus;

/** Runs `use` against a server with only the given parts. */
async function serving(
  parts: { readonly status?: () => Promise<DaemonStatus>; readonly log?: Log },
  use: (coid: Coid) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'coit-server-'));
  const socketPath = join(directory, 'coid.sock');
  const server = daemonServer({
    status: async () => status,
    log: () => {},
    peerOf: () => ({ uid: 1000, gid: 1000, pid: 1 }),
    reserved: () => {},
    released: () => {},
    ...parts,
  } as unknown as ServerParts);
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  server.listen(socketPath);
  await once(server, 'listening');
  try {
    await use(openCoid({ socketPath }));
    assert.deepEqual(unhandled, [], 'no error that would end coid');
  } finally {
    process.off('unhandledRejection', note);
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  }
}

test('coid answers requests even if its log throws', async () => {
  const log: Log = () => {
    throw new Error('EROFS: read-only file system');
  };
  await serving({ log }, async (coid) => {
    for (let tries = 0; tries < 3; tries += 1) {
      assert.deepEqual(await coid.status(), status);
      await assert.rejects(
        coid.network('no name at all'),
        (error) => error instanceof CoiError && error.code !== 'coid-unreachable',
      );
    }
  });
});

test('a reply that cannot be serialized fails with coid-failed, and coid keeps running', async () => {
  const circle: Record<string, unknown> = {};
  circle['self'] = circle;
  await serving({ status: async () => circle as unknown as DaemonStatus }, async (coid) => {
    for (let tries = 0; tries < 2; tries += 1)
      await assert.rejects(
        coid.status(),
        (error) => error instanceof CoiError && error.code === 'coid-failed',
      );
  });
});

test('an Incus timeout fails with timeout, a refused connection with incus-unreachable', async () => {
  const call = { status: 0, method: 'GET', path: '/1.0', message: 'no answer from Incus' };
  for (const [errno, code] of [
    ['ETIMEDOUT', 'timeout'],
    ['ECONNREFUSED', 'incus-unreachable'],
  ] as const)
    await serving(
      { status: async () => Promise.reject(new IncusError({ ...call, errno })) },
      async (coid) => {
        await assert.rejects(coid.status(), (error) => {
          assert.ok(error instanceof CoiError);
          assert.equal(error.code, code);
          assert.match(error.message, code === 'timeout' ? /Incus/ : /cannot reach Incus/);
          return true;
        });
      },
    );
});
