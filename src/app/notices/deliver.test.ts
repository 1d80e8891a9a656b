import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import type { Notice } from '../../attention/notices/notice-queue.ts';
import { postJson } from '../../host/net/post-json.ts';
import type { AppContext } from '../context.ts';
import { type Delivery, deliver } from './deliver.ts';
import type { NoticeSettings } from './settings.ts';

const received: { request: IncomingMessage; body: string }[] = [];
const server = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => {
    body += part;
  });
  request.on('end', () => {
    received.push({ request, body });
    if (request.url === '/hangs') return;
    if (request.url === '/moved') response.setHeader('location', '/hook');
    response.statusCode = request.url === '/moved' ? 302 : request.url === '/broken' ? 500 : 200;
    response.end('x'.repeat(100_000));
  });
});
let url: string;
let home: string;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  home = mkdtempSync(join(tmpdir(), 'coit-deliver-'));
});
beforeEach(() => void received.splice(0));
after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(home, { recursive: true });
});

const evil = 'a; $(touch /x) <b>&\n-質問';
const delivery: Delivery = {
  text: { title: '--evil', body: evil },
  of: {
    kind: 'asks',
    event: { container: 'coi-1', alias: 'shop', slot: 2, tool: 'claude', workspace: '/w' },
  } as unknown as Notice,
  at: '2026-11-30T10:00:00.000Z',
};
const nothing = {
  desktop: false,
  command: [],
  webhook: undefined,
  ntfy: undefined,
} as unknown as NoticeSettings;

async function send(settings: Partial<NoticeSettings>, env: Record<string, string> = {}) {
  const app = {
    user: { home },
    env: { PATH: process.env['PATH'], ...env },
  } as unknown as AppContext;
  const results = await deliver(app, { ...nothing, ...settings }, delivery);
  return results.filter(({ reason }) => reason !== undefined);
}

/** A program that writes its arguments and input to files in the home. */
function program(name: string, script: string): string {
  const path = join(home, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test('a webhook and ntfy get the text as JSON, and nothing of it in a header', async () => {
  writeFileSync(join(home, 'token'), 'tk_1\n');
  const ntfy = { url: `${url}/`, topic: 'mine', token_file: join(home, 'token') };
  assert.deepEqual(await send({ webhook: `${url}/hook`, ntfy }), []);
  const [hook, push] = received.toSorted((one, other) => other.body.length - one.body.length);
  assert.equal((JSON.parse(hook?.body ?? '') as { description: string }).description, evil);
  assert.deepEqual(JSON.parse(push?.body ?? ''), { topic: 'mine', title: '--evil', message: evil });
  assert.equal(push?.request.headers.authorization, 'Bearer tk_1');
  for (const { request } of received)
    assert.doesNotMatch(JSON.stringify(request.rawHeaders), /evil|質問|touch/);
});

test('a service that fails, moves or does not answer is reported, and the others are told', async () => {
  assert.deepEqual(await send({ webhook: `${url}/broken` }), [
    { sink: 'webhook', reason: 'it answered with status 500' },
  ]);
  assert.deepEqual(await send({ webhook: `${url}/moved` }), [
    { sink: 'webhook', reason: 'it answered with status 302' },
  ]);
  assert.ok(!received.some(({ request }) => request.url === '/hook'), 'not followed');
  const closed = createServer().listen(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const [refused] = await send({ webhook: `http://127.0.0.1:${port}/` });
  assert.match(refused?.reason ?? '', /ECONNREFUSED/);
  const ntfy = { url: `${url}/`, topic: 'mine', token_file: join(home, 'missing') };
  assert.match((await send({ ntfy }))[0]?.reason ?? '', /missing has no token/);
  assert.equal(
    await postJson(`${url}/hangs`, {}, { limitMs: 200 }),
    'it did not answer within 0.2 s',
  );
});

test('a command gets the text on stdin and in variables, not as arguments', async () => {
  const path = program(
    'tell',
    `echo "$#" >"$HOME/args"; echo "$COI_DESCRIPTION" >"$HOME/env"; cat >"$HOME/input"`,
  );
  assert.deepEqual(await send({ command: [path] }, { HOME: home }), []);
  const read = (name: string) => readFileSync(join(home, name), 'utf8');
  assert.equal(read('args'), '0\n');
  assert.equal(read('env'), `${evil}\n`);
  assert.equal((JSON.parse(read('input')) as { title: string }).title, '--evil');
  assert.match((await send({ command: [program('fails', 'exit 3')] }))[0]?.reason ?? '', /3/);
  assert.match((await send({ command: ['/nowhere'] }))[0]?.reason ?? '', /nowhere is not there/);
});

test('notify-send gets no option and no markup; without it nothing is reported', async () => {
  program('notify-send', `printf '%s\\n' "$@" >"$(dirname "$0")/shown"`);
  const path = process.env['PATH'];
  process.env['PATH'] = `${home}:${path}`;
  try {
    const bus = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' };
    assert.deepEqual(await send({ desktop: true }, bus), []);
    const shown = readFileSync(join(home, 'shown'), 'utf8').split('\n');
    assert.deepEqual(shown.slice(0, 4), ['--app-name=coi', '--urgency=normal', '--', '--evil']);
    assert.doesNotMatch(shown.slice(4).join('\n'), /[<>&]/);
    rmSync(join(home, 'notify-send'));
    rmSync(join(home, 'shown'));
    process.env['PATH'] = home;
    assert.deepEqual(await send({ desktop: true }, bus), []);
  } finally {
    process.env['PATH'] = path;
  }
});
