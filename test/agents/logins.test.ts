// The real Claude Code with a provider that rotates tokens: the host and all sessions of a user share one login.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  endMs,
  homeFile,
  leaveAgent,
  sessionId,
  stopFromOutside,
  untilLive,
} from '../lifecycle/conversation.ts';
import { onlyInstance } from '../terminal/session.ts';
import {
  accountNamed,
  accountText,
  credentials,
  credentialsText,
  makeLoginBed,
  tokenIn,
  untilFile,
  untilToken,
} from './login-bed.ts';

const timeout = 240_000;

test('a login that one session renews reaches the host and the next session', {
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

test('a login renewed while other sessions run reaches them and the host at once', {
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

test('sessions that start together with an expired token renew it once', { timeout }, async () => {
  await using login = await makeLoginBed({ hours: -1 });
  const names = ['one', 'two', 'three'];
  const ended = await Promise.all(names.map((name) => login.prompt(`hello ${name}`)));
  for (const { status, stdout, stderr } of ended) assert.equal(status, 0, stdout + stderr);
  assert.deepEqual(login.provider.renewals(), [login.mine.refresh]);
});

test('a login renewed on the host reaches a running session', { timeout }, async () => {
  await using login = await makeLoginBed();
  const { bed, provider } = login;
  const screen = await login.open();
  const file = login.inStore(sessionId(screen), credentials);
  await provider.expire();
  homeFile(bed, credentials, await login.renewed());
  await untilToken(file, 'sk-ant-oat01-renewed-1');
  await login.say(screen, 'hello');
  assert.deepEqual(provider.renewals(), [login.mine.refresh]);
});

test('a login that was emptied inside is restored', { timeout }, async () => {
  await using login = await makeLoginBed();
  const screen = await login.open();
  const file = login.inStore(sessionId(screen), credentials);
  await login.asAgent(
    sessionId(screen),
    credentials,
    credentialsText({ access: '', refresh: '' }, 0),
  );
  await untilToken(file, login.mine.access);
  assert.equal(tokenIn(join(login.bed.user.home, credentials)), login.mine.access);
  await login.say(screen, 'hello');
});

test('a renewal while coid is stopped is found when coid is back', { timeout }, async () => {
  await using login = await makeLoginBed();
  const { bed, provider } = login;
  const screen = await login.open();
  const { name } = await onlyInstance(bed);
  await untilLive(bed, name);
  // The sync process that coid starts first outlives coid: it must have run by now.
  const memory = join(bed.user.home, '.coi/logins/claude.json');
  await untilFile(memory, existsSync, 'is there');
  await bed.coid.crash();
  // Not by Claude: without coid the session cannot resolve names.
  await login.asAgent(sessionId(screen), credentials, await login.renewed());
  await stopFromOutside(bed, name);
  await screen.ended(endMs);
  assert.equal(
    tokenIn(join(bed.user.home, credentials)),
    login.mine.access,
    'the renewal is not noticed',
  );
  await bed.coid.start();
  const next = await login.open();
  await untilToken(join(bed.user.home, credentials), 'sk-ant-oat01-renewed-1');
  await untilToken(login.inStore(sessionId(next), credentials), 'sk-ant-oat01-renewed-1');
  await login.say(next, 'hello again');
  assert.deepEqual(provider.renewals(), [login.mine.refresh]);
});

test('pi: a login that one session renews reaches the host and the next session', {
  timeout,
}, async () => {
  await using login = await makeLoginBed({ tool: 'pi', hours: -1 });
  const { bed, provider } = login;
  const auth = '.pi/agent/auth.json';
  const onHost = join(bed.user.home, auth);
  const renewed = (path: string) => {
    const { anthropic, openai } = JSON.parse(readFileSync(path, 'utf8') || '{}');
    return anthropic?.access === 'sk-ant-oat01-renewed-1' && openai?.key === 'sk-of-openai';
  };
  const one = await login.open();
  await login.say(one, 'hello one');
  await untilFile(onHost, renewed, 'renewed');
  const two = await login.open();
  assert.ok(renewed(login.inStore(sessionId(two), auth)));
  await login.say(two, 'hello two');
  assert.deepEqual(provider.renewals(), [login.mine.refresh]);
});

test('a fork has the current login, not a copy of an old one', { timeout }, async () => {
  await using login = await makeLoginBed();
  const { bed } = login;
  const screen = await login.open();
  const foreign = accountNamed('theirs');
  await login.provider.add(foreign);
  // While it runs, Claude keeps rewriting its own name for the account.
  await leaveAgent(screen);
  // With a copy of this account's login, one of the two would lose it.
  const end = Date.now() + 3_600_000;
  await login.asAgent(sessionId(screen), '.claude/.claude.json', accountText(foreign));
  await login.asAgent(sessionId(screen), credentials, credentialsText(foreign, end));
  const { stdout, stderr } = await bed.coi(['fork', '--json']);
  const fork = JSON.parse(stdout || '{}') as { session_id?: string };
  assert.ok(fork.session_id, stderr);
  const file = login.inStore(fork.session_id, credentials);
  assert.equal(tokenIn(file), login.mine.access);
  assert.ok(!readFileSync(file, 'utf8').includes(foreign.refresh));
  assert.equal(tokenIn(login.inStore(sessionId(screen), credentials)), foreign.access);
});
