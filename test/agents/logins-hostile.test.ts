// Attacks of a session on the user's login, and a user who adopts a session's login on purpose.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mustRun } from '../bed/command.ts';
import { homeFile, leaveAgent, sessionId } from '../lifecycle/conversation.ts';
import {
  accountNamed,
  accountText,
  credentials,
  credentialsText,
  type LoginBed,
  makeLoginBed,
  tokenIn,
  untilFile,
  untilToken,
} from './login-bed.ts';

const timeout = 240_000;
const endMs = () => Date.now() + 20 * 3_600_000;

interface Listed {
  readonly sessions: readonly { session: string; account: string; reason: string }[];
}

async function listSessions({ bed }: LoginBed): Promise<Listed['sessions']> {
  const { stdout } = await bed.coi(['login', 'list', '--json']);
  return (JSON.parse(stdout) as Listed).sessions;
}

/** Resolves when coi has checked a session's login: its saved state has changed. */
async function untilDecided(login: LoginBed, name: string, reason: string): Promise<void> {
  const memory = join(login.bed.user.home, '.coi/logins/claude.json');
  await untilFile(
    memory,
    (path) => {
      const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
      return text.includes(`"${reason}"`) && text.includes(name);
    },
    reason,
  );
}

function isSmallFile(path: string): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isFile() === true && stats.size < 10_000;
}

test("another account under the user's name stays in its session", { timeout }, async () => {
  await using login = await makeLoginBed();
  const { bed, mine } = login;
  const [one, two] = await Promise.all([login.open(), login.open()]);
  const foreign = accountNamed('theirs');
  await login.provider.add(foreign);
  // While it runs, Claude keeps rewriting its own name for the account.
  await leaveAgent(one);
  await login.asAgent(sessionId(one), credentials, credentialsText(foreign, endMs()));
  await untilDecided(login, foreign.email, 'other');
  const onHost = join(bed.user.home, credentials);
  assert.equal(tokenIn(onHost), mine.access);
  assert.equal(tokenIn(login.inStore(sessionId(two), credentials)), mine.access);
  const warned = await bed.coi(['run', '--prompt', 'x', '--timeout', '1s']);
  assert.match(warned.stderr, new RegExp(`session ${sessionId(one)} is logged in .*theirs@`));
  assert.deepEqual(await listSessions(login), [
    {
      session: sessionId(one),
      tool: 'claude',
      login: 'claude.ai',
      account: foreign.email,
      reason: 'other',
    },
  ]);
  const refused = await bed.coi(['login', 'take', sessionId(one), '--yes']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /claims to be logged in as mine@.* the provider reports theirs@/);
  // If its files agree with the provider, the user may adopt it.
  await login.asAgent(sessionId(one), '.claude/.claude.json', accountText(foreign));
  const unsure = await bed.coi(['login', 'take', sessionId(one)]);
  assert.equal(unsure.status, 2, unsure.stderr);
  assert.equal(tokenIn(onHost), mine.access);
  const taken = await bed.coi(['login', 'take', sessionId(one), '--yes']);
  assert.equal(taken.status, 0, taken.stderr);
  assert.match(taken.stderr, /yours: +mine@[\s\S]*session: theirs@/);
  assert.equal(tokenIn(onHost), foreign.access);
  const account = JSON.parse(readFileSync(join(bed.user.home, '.claude.json'), 'utf8'));
  assert.equal(account.oauthAccount.emailAddress, foreign.email);
  assert.deepEqual(account.projects, { '/x': {} });
  await untilToken(login.inStore(sessionId(two), credentials), foreign.access);
});

test('if the provider is unreachable, the login files decide', { timeout }, async () => {
  await using login = await makeLoginBed({ reachable: false });
  const screen = await login.open();
  const foreign = accountNamed('theirs');
  const onHost = join(login.bed.user.home, credentials);
  await login.asAgent(sessionId(screen), credentials, credentialsText(foreign, endMs()));
  // Control for the previous test: the provider's answer is the reason for the refusal.
  await untilToken(onHost, foreign.access);
});

test('a login made inside is offered to a user without one and not used without confirmation', {
  timeout,
}, async () => {
  await using login = await makeLoginBed();
  const { bed } = login;
  const screen = await login.open();
  await leaveAgent(screen);
  for (const path of [credentials, '.claude.json']) rmSync(join(bed.user.home, path));
  const foreign = accountNamed('inside');
  await login.provider.add(foreign);
  await login.asAgent(sessionId(screen), '.claude/.claude.json', accountText(foreign));
  await login.asAgent(sessionId(screen), credentials, credentialsText(foreign, endMs()));
  await untilDecided(login, foreign.email, 'offered');
  assert.equal(existsSync(join(bed.user.home, credentials)), false);
  const result = await bed.coi(['run', '--prompt', 'x', '--timeout', '1s']);
  assert.match(result.stderr, new RegExp(`as inside@.*coi login take ${sessionId(screen)}`));
  const taken = await bed.coi(['login', 'take', sessionId(screen).slice(0, 8), '--yes']);
  assert.equal(taken.status, 0, taken.stderr);
  const next = await login.open();
  assert.equal(tokenIn(login.inStore(sessionId(next), credentials)), foreign.access);
});

test('a link, FIFO or giant in place of the login file is not followed, awaited or read', {
  timeout,
}, async () => {
  await using login = await makeLoginBed();
  const { bed, mine } = login;
  const screen = await login.open();
  const file = login.inStore(sessionId(screen), credentials);
  homeFile(bed, 'precious', credentialsText(accountNamed('precious'), endMs()));
  const precious = join(bed.user.home, 'precious');
  const run = (script: string) =>
    mustRun(bed.user.argv(['sh', '-c', script.replaceAll('F', file)]));
  const pipe = 'mkfifo F && ln F F.pipe';
  for (const planted of [`ln -s ${precious} F`, pipe, 'truncate -s 64G F', 'ln -s F F']) {
    await run(`rm F && ${planted}`);
    await untilFile(file, (path) => isSmallFile(path) && tokenIn(path) === mine.access, planted);
  }
  // Claude Code itself may have opened the pipe, and waits until somebody else does.
  await run(': <>F.pipe; rm F.pipe');
  assert.equal(tokenIn(precious), 'sk-ant-oat01-precious');
  assert.equal(tokenIn(join(bed.user.home, credentials)), mine.access);
  await login.say(screen, 'hello');
});
