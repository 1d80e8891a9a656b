// The real Claude Code: its conversation resumes after every kind of end, as the next request to the provider shows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Screen } from '../bed/screen.ts';
import { endMs, prompt, sessionId, stopFromOutside, untilLive } from '../lifecycle/conversation.ts';
import { onlyInstance } from '../terminal/session.ts';
import {
  type AgentBed,
  assertContains,
  claudeOptions,
  makeAgentBed,
  untilStored,
} from './agent-bed.ts';

const timeout = 400_000;

const claude = () => makeAgentBed(claudeOptions);

/** Leaves Claude for the bash behind it. */
async function toBash(screen: Screen): Promise<void> {
  screen.type('/exit\r');
  await screen.waitFor(prompt, 20_000);
}

type End = (agent: AgentBed, screen: Screen, name: string) => Promise<void>;

const killed = async ({ bed }: AgentBed, name: string) => {
  const result = await bed.coi(['kill', name]);
  assert.equal(result.status, 0, result.stderr);
};

const ends: Readonly<Record<string, End>> = {
  'poweroff inside': async (_, screen) => {
    await toBash(screen);
    screen.type('poweroff\r');
    assert.equal((await screen.ended(endMs)).status, 0);
  },
  'coi shutdown while Claude waits': async ({ bed }, screen, name) => {
    const result = await bed.coi(['shutdown', name]);
    assert.equal(result.status, 0, result.stderr);
    await screen.ended(endMs);
  },
  'coi kill': async (agent, screen, name) => {
    await killed(agent, name);
    await screen.ended(endMs);
  },
  'a closed window, then coi kill': async (agent, screen, name) => {
    screen.hangUp();
    await screen.ended(endMs);
    await killed(agent, name);
  },
  'SIGTERM, then poweroff from outside': async ({ bed }, screen, name) => {
    screen.kill('SIGTERM');
    await screen.ended(endMs);
    await untilLive(bed, name);
    await (await bed.incus.changeState(name, { action: 'stop', timeout: 30 })).wait();
  },
  'SIGKILL, then a forced stop from outside': async ({ bed }, screen, name) => {
    screen.kill('SIGKILL');
    await screen.ended(endMs);
    await stopFromOutside(bed, name);
  },
  'a stop while coid is dead': async ({ bed }, screen, name) => {
    await untilLive(bed, name);
    await bed.coid.crash();
    await stopFromOutside(bed, name);
    await screen.ended(endMs);
    await bed.coid.start();
  },
};

test('a conversation can be resumed after every way in which a session can end', {
  timeout,
}, async () => {
  await using agent = await claude();
  const { bed } = agent;
  const words: string[] = [];
  let id: string | undefined;
  for (const [at, [how, end]] of Object.entries(ends).entries()) {
    const screen = await agent.open(id === undefined ? [] : ['--resume']);
    id ??= sessionId(screen);
    assert.equal(sessionId(screen), id, how);
    words.push(`word number ${at} is bird${at}`);
    assertContains(await agent.say(screen, words.at(-1) ?? ''), words);
    const { name } = await onlyInstance(bed);
    // Claude writes a moment after its answer; text not yet written when it is killed is lost.
    await untilStored(bed, id, words.at(-1) ?? '');
    await end(agent, screen, name);
  }
  const last = await agent.open([`--resume=${id}`]);
  assertContains(await agent.say(last, 'and the last word is owl'), words);
});

test("two parallel slots never see each other's conversation", { timeout }, async () => {
  await using agent = await claude();
  const screens = await Promise.all([agent.open(), agent.open()]);
  const [one, two] = screens;
  const ids = screens.map(sessionId);
  assert.notEqual(ids[0], ids[1]);
  await Promise.all([agent.say(one, 'one says apple'), agent.say(two, 'two says banana')]);
  const both = await Promise.all([agent.say(one, 'one again'), agent.say(two, 'two again')]);
  assertContains(both[0], ['apple']);
  assertContains(both[1], ['banana']);
  assert.doesNotMatch(both[0], /banana|two/);
  assert.doesNotMatch(both[1], /apple|one/);
  assert.equal((await agent.bed.coi(['kill', '--all', '--force'])).status, 0);
  await Promise.all(screens.map((screen) => screen.ended(endMs)));
  const back = await agent.open([`--resume=${ids[1]}`]);
  const request = await agent.say(back, 'what was it');
  assertContains(request, ['two says banana', 'two again']);
  assert.doesNotMatch(request, /apple/);
});
