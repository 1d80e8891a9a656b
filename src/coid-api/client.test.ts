import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CoiError, type ErrorCode } from '../errors.ts';
import { type Coid, type CoidPlace, coidSocketPath, openCoid } from './client.ts';
import { protocolHeader, protocolVersion } from './protocol.ts';
import type { ReserveRequest } from './session-protocol.ts';

/** A coid that answers as the test wants. */
async function withCoid(
  answer: RequestListener,
  use: (coid: Coid) => Promise<void>,
  more: Omit<CoidPlace, 'socketPath'> = {},
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

test('calls go to their paths and come back as values', async () => {
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

test('a socket that is not there says how coid is started', async () => {
  const coid = openCoid({ socketPath: '/nonexistent/coid.sock' });
  await assert.rejects(coid.status(), fails('coid-unreachable', /sudo coi daemon start/));
});

test('another protocol version is told from all other failures', async () => {
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

test('answers that are no JSON, or no error where one was due, are failures of coid', async () => {
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

test('a connection that breaks is coid-unreachable', async () => {
  await withCoid(
    (request) => void request.socket.destroy(),
    (coid) => assert.rejects(coid.status(), fails('coid-unreachable')),
  );
});

test('an answer that does not come is a timeout, and an interrupt wins over it', async () => {
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

/** In which a server of this process answers, also on a busy machine. */
const lifeMs = 500;

/** Answers a call when it was asked for the third time whether it lives, and that as the test says. */
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

test('a coid that shows that it lives is waited for, and what it waits for is told once', async () => {
  const never = { silenceMs: lifeMs, wholeMs: 60_000 };
  for (const [answer, line] of [
    [replying(200, '{"waitsForIncus":true}'), /Incus has not answered coid/],
    [replying(200, '{"waitsForIncus":false}'), /coid is running/],
    // A coid of an older version.
    [replying(400, '{"error":{"code":"usage","message":"no such call"}}'), /coid is running/],
  ] as const) {
    const told: string[] = [];
    const more = { limits: never, tell: (text: string) => void told.push(text) };
    await withCoid(
      busy(answer),
      async (coid) => assert.equal((await coid.reserve({} as ReserveRequest)).id, 'late'),
      more,
    );
    assert.equal(told.length, 1, told.join());
    assert.match(told[0] ?? '', line);
  }
});

test('a coid that does not show that it lives is given up, as is one that never finishes', async () => {
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
  await given(alive(false), /^coid is running, and did not finish within/);
});

test('an interrupt ends the waiting for a coid that lives', async () => {
  const interrupted = new CoiError('cancelled', 'interrupted by SIGTERM');
  const controller = new AbortController();
  const tell = () => controller.abort(interrupted);
  await withCoid(
    busy(replying(200, '{"waitsForIncus":true}')),
    (coid) =>
      assert.rejects(
        coid.reserve({} as ReserveRequest, { signal: controller.signal }),
        (error) => error === interrupted,
      ),
    { tell, limits: { silenceMs: lifeMs, wholeMs: 60_000 } },
  );
});

test('the socket is below the run directory of the environment', () => {
  assert.equal(coidSocketPath({}), '/run/coi/coid.sock');
  assert.equal(coidSocketPath({ COI_RUN_DIR: '/run/x' }), '/run/x/coid.sock');
});
