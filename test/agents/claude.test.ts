// Claude Code itself: whatever ends a session, its conversation goes on afterwards. The provider's next request shows it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bed } from '../bed/bed.ts';
import type { Screen } from '../bed/screen.ts';
import { endMs, live, prompt, sessionId, stopFromOutside } from '../lifecycle/talk.ts';
import { onlyInstance } from '../terminal/session.ts';
import { type AgentBed, assertHeard, claudeOptions, makeAgentBed } from './talk.ts';

const timeout = 400_000;

const claude = () => makeAgentBed(claudeOptions);

/** Leaves Claude for the bash behind it. */
async function toBash(screen: Screen): Promise<void> {
  screen.type('/exit\r');
  await screen.waitFor(prompt, 20_000);
}

/** Resolves when the words are in the conversation on the host's disk; rejects after 20 s. */
function untilStored(bed: Bed, id: string, words: string): Promise<void> {
  const directory = join(bed.user.home, '.coi/sessions-claude', id, '.claude/projects');
  return new Promise((resolve, reject) => {
    const watcher = watch(directory, { recursive: true }, () => look());
    const limit = setTimeout(() => {
      watcher.close();
      reject(new Error(`"${words}" was not written below ${directory}`));
    }, 20_000);
    const look = () => {
      const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      const found = files.some(
        (name) =>
          name.endsWith('.jsonl') && readFileSync(join(directory, name), 'utf8').includes(words),
      );
      if (!found) return;
      clearTimeout(limit);
      watcher.close();
      resolve();
    };
    look();
  });
}

type End = (agent: AgentBed, screen: Screen, name: string) => Promise<void>;

const killed = async ({ bed }: AgentBed, name: string) => {
  const said = await bed.coi(['kill', name]);
  assert.equal(said.status, 0, said.stderr);
};

const ends: Readonly<Record<string, End>> = {
  'poweroff inside': async (_, screen) => {
    await toBash(screen);
    screen.type('poweroff\r');
    assert.equal((await screen.ended(endMs)).status, 0);
  },
  'coi shutdown while Claude waits': async ({ bed }, screen, name) => {
    const said = await bed.coi(['shutdown', name]);
    assert.equal(said.status, 0, said.stderr);
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
    await live(bed, name);
    await (await bed.incus.changeState(name, { action: 'stop', timeout: 30 })).wait();
  },
  'SIGKILL, then a forced stop from outside': async ({ bed }, screen, name) => {
    screen.kill('SIGKILL');
    await screen.ended(endMs);
    await stopFromOutside(bed, name);
  },
  'a stop while coid is dead': async ({ bed }, screen, name) => {
    await live(bed, name);
    await bed.coid.crash();
    await stopFromOutside(bed, name);
    await screen.ended(endMs);
    await bed.coid.start();
  },
};

test('a conversation goes on after each way in which a session can end', { timeout }, async () => {
  await using agent = await claude();
  const { bed } = agent;
  const words: string[] = [];
  let id: string | undefined;
  for (const [at, [how, end]] of Object.entries(ends).entries()) {
    const screen = await agent.open(id === undefined ? [] : ['--resume']);
    id ??= sessionId(screen);
    assert.equal(sessionId(screen), id, how);
    words.push(`word number ${at} is bird${at}`);
    assertHeard(await agent.say(screen, words.at(-1) ?? ''), words);
    const { name } = await onlyInstance(bed);
    // Claude writes a moment after it has answered; what it has not written when it is killed nobody can keep.
    await untilStored(bed, id, words.at(-1) ?? '');
    await end(agent, screen, name);
  }
  const last = await agent.open([`--resume=${id}`]);
  assertHeard(await agent.say(last, 'and the last word is owl'), words);
});

test('two slots in parallel never hear of each other', { timeout }, async () => {
  await using agent = await claude();
  const screens = await Promise.all([agent.open(), agent.open()]);
  const [one, two] = screens;
  const ids = screens.map(sessionId);
  assert.notEqual(ids[0], ids[1]);
  await Promise.all([agent.say(one, 'one says apple'), agent.say(two, 'two says banana')]);
  const both = await Promise.all([agent.say(one, 'one again'), agent.say(two, 'two again')]);
  assertHeard(both[0], ['apple']);
  assertHeard(both[1], ['banana']);
  assert.doesNotMatch(both[0], /banana|two/);
  assert.doesNotMatch(both[1], /apple|one/);
  assert.equal((await agent.bed.coi(['kill', '--all', '--force'])).status, 0);
  await Promise.all(screens.map((screen) => screen.ended(endMs)));
  const back = await agent.open([`--resume=${ids[1]}`]);
  const heard = await agent.say(back, 'what was it');
  assertHeard(heard, ['two says banana', 'two again']);
  assert.doesNotMatch(heard, /apple/);
});
