import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CoiError, type ErrorCode } from '../errors.ts';
import { type Coid, coidSocketPath, type OpenCoidOptions, openCoid } from './client.ts';
import { protocolHeader, protocolVersion } from './protocol.ts';
import type { ReserveRequest } from './session-protocol.ts';

/** Runs `use` against a fake coid. */
async function withCoid(
  answer: RequestListener,
  use: (coid: Coid) => Promise<void>,
  more: Omit<OpenCoidOptions, 'socketPath'> = {},
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'coit-client-'));
  const socketPath = join(directory, 'coid.sock');
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  try {
    await use(openCoid({ socketPath, ...more }));
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  }
}

function replying(
  status: number,
  body: string,
  version = String(protocolVersion),
): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { [protocolHeader]: version });
    response.end(body);
  };
}

function fails(code: ErrorCode, hint?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof CoiError, String(error));
    assert.equal(error.code, code);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}

test('each call requests its path and returns the reply as a value', async () => {
  const seen: string[] = [];
  const answer: RequestListener = (request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const release = request.method === 'DELETE';
    response.writeHead(release ? 204 : 200, { [protocolHeader]: String(protocolVersion) });
    response.end(release ? '' : JSON.stringify({ id: 'x', mounts: [{ name: 'm' }] }));
  };
  await withCoid(answer, async (coid) => {
    assert.equal((await coid.reserve({} as ReserveRequest)).id, 'x');
    assert.equal(await coid.release('a/b'), undefined);
    assert.deepEqual(await coid.remount('c-1', { id: 'x', startId: 's' }), [{ name: 'm' }]);
    await coid.status();
  });
  assert.deepEqual(seen, [
    'POST /v1/sessions',
    'DELETE /v1/sessions/a%2Fb',
    'POST /v1/containers/c-1/mounts',
    'GET /v1/status',
  ]);
});

test('if the socket does not exist, the hint says how to start coid', async () => {
  const coid = openCoid({ socketPath: '/nonexistent/coid.sock' });
  await assert.rejects(coid.status(), fails('coid-unreachable', /sudo coi daemon start/));
});

test('a different protocol version fails with coid-version', async () => {
  for (const version of ['0', '99', '']) {
    await withCoid(replying(200, '{}', version), (coid) =>
      assert.rejects(coid.status(), fails('coid-version')),
    );
  }
  await withCoid(
    (_request, response) => void response.end('{}'),
    (coid) => assert.rejects(coid.status(), fails('coid-version')),
  );
});

test("coid's own errors keep their code, message and hint, and unknown codes become coid-failed", async () => {
  const body = (code: string) =>
    JSON.stringify({ error: { code, message: 'no', hint: 'do this' } });
  await withCoid(replying(409, body('slot-taken')), (coid) =>
    assert.rejects(coid.status(), fails('slot-taken', /do this/)),
  );
  for (const code of ['toString', 'nonsense']) {
    await withCoid(replying(500, body(code)), (coid) =>
      assert.rejects(coid.status(), fails('coid-failed')),
    );
  }
});

test('a reply that is invalid JSON, or an error reply without an error, fails with coid-failed', async () => {
  for (const [status, body] of [
    [200, 'oops'],
    [500, '{}'],
    [500, 'null'],
    [500, 'oops'],
  ] as const) {
    await withCoid(replying(status, body), (coid) =>
      assert.rejects(coid.status(), fails('coid-failed')),
    );
  }
});

test('a broken connection fails with coid-unreachable', async () => {
  await withCoid(
    (request) => void request.socket.destroy(),
    (coid) => assert.rejects(coid.status(), fails('coid-unreachable')),
  );
});

test('a missing reply fails with timeout, and an interrupt wins over it', async () => {
  await withCoid(
    () => {},
    async (coid) => {
      await assert.rejects(coid.status({ timeoutMs: 20 }), fails('timeout'));
      const interrupted = new CoiError('cancelled', 'interrupted by SIGINT');
      const controller = new AbortController();
      const call = coid.status({ signal: controller.signal });
      controller.abort(interrupted);
      await assert.rejects(call, (error) => error === interrupted);
    },
  );
});

/** A server in this process answers within this time, even on a busy machine. */
const lifeMs = 500;

/** Replies to a call after the third liveness check, which `alive` answers. */
function busy(alive: RequestListener, asked: string[] = []): RequestListener {
  let finish = () => {};
  return (request, response) => {
    if (request.url !== '/v1/alive') {
      finish = () => replying(200, '{"id":"late"}')(request, response);
      return;
    }
    asked.push(request.url);
    alive(request, response);
    if (asked.length === 3) finish();
  };
}

test('a call waits while coid is alive, and reports once what it is waiting for', async () => {
  const never = { silenceMs: lifeMs, wholeMs: 60_000 };
  for (const [answer, line] of [
    [replying(200, '{"waitsForIncus":true}'), /Incus has not answered coid/],
    [replying(200, '{"waitsForIncus":false}'), /coid is running/],
    // An older coid.
    [replying(400, '{"error":{"code":"usage","message":"no such call"}}'), /coid is running/],
  ] as const) {
    const reported: string[] = [];
    const more = { limits: never, onWait: (text: string) => void reported.push(text) };
    await withCoid(
      busy(answer),
      async (coid) => assert.equal((await coid.reserve({} as ReserveRequest)).id, 'late'),
      more,
    );
    assert.equal(reported.length, 1, reported.join());
    assert.match(reported[0] ?? '', line);
  }
});

test('a call fails with timeout if coid fails its liveness check or never finishes', async () => {
  const limits = { silenceMs: lifeMs, wholeMs: 3 * lifeMs };
  const given = async (answer: RequestListener, sentence: RegExp) =>
    withCoid(
      answer,
      (coid) =>
        assert.rejects(coid.status(), (error) => {
          assert.ok(fails('timeout')(error) && error instanceof Error);
          assert.match(error.message, sentence);
          return true;
        }),
      { limits },
    );
  await given(() => {}, /^coid did not answer within 1 s$/);
  const alive = (waitsForIncus: boolean): RequestListener => {
    const answer = replying(200, JSON.stringify({ waitsForIncus }));
    return (request, response) => void (request.url === '/v1/alive' && answer(request, response));
  };
  await given(alive(true), /^Incus did not answer coid within/);
  await given(alive(false), /^coid is running but did not finish within/);
});

test('an interrupt ends the wait for a live coid', async () => {
  const interrupted = new CoiError('cancelled', 'interrupted by SIGTERM');
  const controller = new AbortController();
  const interrupt = () => controller.abort(interrupted);
  await withCoid(
    busy(replying(200, '{"waitsForIncus":true}')),
    (coid) =>
      assert.rejects(
        coid.reserve({} as ReserveRequest, { signal: controller.signal }),
        (error) => error === interrupted,
      ),
    { onWait: interrupt, limits: { silenceMs: lifeMs, wholeMs: 60_000 } },
  );
});

test('the socket lies in the run directory that the environment names', () => {
  assert.equal(coidSocketPath({}), '/run/coi/coid.sock');
  assert.equal(coidSocketPath({ COI_RUN_DIR: '/run/x' }), '/run/x/coid.sock');
});
