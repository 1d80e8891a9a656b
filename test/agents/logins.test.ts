// Claude Code itself, at a provider that rotates its tokens: all sessions of a user and the host have one login.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sessionId } from '../lifecycle/talk.ts';
import { credentials, makeLoginBed, tokenIn, untilToken } from './login-bed.ts';

const timeout = 240_000;

test('a login that one session renewed is the host’s and the next session’s', {
  timeout,
}, async () => {
  await using login = await makeLoginBed({ hours: -1 });
  const { bed, provider, mine } = login;
  const mineOnHost = join(bed.user.home, credentials);
  const one = await login.prompt('hello one');
  assert.equal(one.status, 0, one.stdout + one.stderr);
  assert.match(one.stdout, /I heard hello one/);
  await untilToken(mineOnHost, 'sk-ant-oat01-renewed-1');
  const host = JSON.parse(readFileSync(mineOnHost, 'utf8'));
  assert.deepEqual(host.mcpOAuth, { 'my-server': { accessToken: 'of an MCP server' } });
  const two = await login.prompt('hello two');
  assert.equal(two.status, 0, two.stdout + two.stderr);
  assert.deepEqual(provider.renewals(), [mine.refresh]);
});

test('what one session renews while others run is theirs and the host’s at once', {
  timeout,
}, async () => {
  await using login = await makeLoginBed();
  const { bed, provider } = login;
  const screens = await Promise.all([login.open(), login.open()]);
  const [one, two] = screens;
  const files = screens.map((screen) => login.inStore(sessionId(screen), credentials));
  assert.ok(!readFileSync(files[0] ?? '', 'utf8').includes('MCP'), 'logins of other services stay');
  await login.say(one, 'hello one');
  await provider.expire();
  await login.say(one, 'hello again');
  await untilToken(join(bed.user.home, credentials), 'sk-ant-oat01-renewed-1');
  await untilToken(files[1] ?? '', 'sk-ant-oat01-renewed-1');
  await login.say(two, 'hello two');
  assert.equal(tokenIn(files[0] ?? ''), 'sk-ant-oat01-renewed-1');
  assert.deepEqual(provider.renewals(), [login.mine.refresh]);
});
