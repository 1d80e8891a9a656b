// The real opencode and pi: the next request after a resume contains the earlier conversation.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { slowdown } from '../bed/slowdown.ts';
import { endMs, prompt, runInside, sessionId } from '../lifecycle/conversation.ts';
import { onlyInstance } from '../terminal/session.ts';
import { type AgentOptions, assertContains, makeAgentBed } from './agent-bed.ts';

import { listed, waitFor } from './attention-bed.ts';
import { opencodeOptions } from './opencode-bed.ts';

const timeout = 240_000;

const pi: AgentOptions = {
  tool: 'pi',
  ready: /\/100k/,
  files: ({ url }) => ({
    '.pi/agent/settings.json': JSON.stringify({
      defaultProvider: 'test',
      defaultModel: 'bird-1',
    }),
    '.pi/agent/models.json': JSON.stringify({
      providers: {
        test: {
          baseUrl: url,
          api: 'anthropic-messages',
          apiKey: 'sk-test',
          models: [
            {
              id: 'bird-1',
              name: 'Bird',
              reasoning: false,
              input: ['text'],
              contextWindow: 100_000,
              maxTokens: 1000,
              cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
            },
          ],
        },
      },
    }),
  }),
};

test('opencode: a conversation can be resumed after kill', { timeout }, async () => {
  await using agent = await makeAgentBed(opencodeOptions);
  const first = await agent.open();
  const id = sessionId(first);
  assertContains(await agent.say(first, 'the first bird is a heron'), ['heron']);
  await agent.bed.coi(['kill', (await onlyInstance(agent.bed)).name]);
  await first.ended(endMs);
  const second = await agent.open([`--resume=${id}`]);
  assertContains(await agent.say(second, 'which birds'), ['heron']);
});

/** Container root drops incoming packets, as a firewall does: there is neither an answer nor a refusal. */
const silence = [
  'add table inet silence',
  'add chain inet silence input { type filter hook input priority 0; }',
  'add rule inet silence input iifname != lo drop',
].map((line) => `sudo nft '${line}'`);

test('opencode: its first screen does not wait for a model list that never arrives', {
  timeout,
}, async () => {
  const commands = silence.map((line) => JSON.stringify(`[ ! -e silent ] || ${line}`));
  await using agent = await makeAgentBed({
    ...opencodeOptions,
    config: `pre_launch = [${commands.join(', ')}]`,
  });
  const { bed } = agent;
  /** Measures the time to the first screen, and reads opencode's setting for fetching its model list. */
  const openTimed = async () => {
    const begunMs = performance.now();
    const screen = await agent.open();
    const tookMs = performance.now() - begunMs;
    const { name } = await onlyInstance(bed);
    const reported =
      'tr "\\0" "\\n" </proc/$(pgrep -xo opencode)/environ | grep ^OPENCODE_DISABLE_MODELS';
    const fetches = await runInside(bed, name, 'sh', '-c', reported);
    await bed.coi(['kill', name]);
    await screen.ended(endMs);
    return { tookMs, fetches };
  };
  const answered = await openTimed();
  writeFileSync(join(bed.workspace.path, 'silent'), '');
  const silent = await openTimed();
  assert.equal(silent.fetches.trim(), 'OPENCODE_DISABLE_MODELS_FETCH=1');
  // Otherwise it takes more than twenty seconds longer.
  const longerMs = silent.tookMs - answered.tookMs;
  assert.ok(longerMs < 10_000 * (await slowdown()), `${longerMs} ms longer`);
});

test('pi: a conversation can be resumed after kill and after poweroff', { timeout }, async () => {
  await using agent = await makeAgentBed(pi);
  const { bed } = agent;
  const first = await agent.open();
  const id = sessionId(first);
  assertContains(await agent.say(first, 'the first bird is a heron'), ['heron']);
  await bed.coi(['kill', (await onlyInstance(bed)).name]);
  await first.ended(endMs);
  const second = await agent.open(['--resume']);
  assertContains(await agent.say(second, 'the second bird is an owl'), ['heron', 'owl']);
  second.key('ctrl-c');
  second.key('ctrl-c');
  await second.waitFor(prompt, 20_000);
  second.type('sudo poweroff\r');
  await second.ended(endMs);
  const third = await agent.open([`--resume=${id}`]);
  assertContains(await agent.say(third, 'which birds'), ['heron', 'owl']);
});

test('pi says that it works, and how its turn ended', { timeout }, async () => {
  await using agent = await makeAgentBed(pi);
  const { bed } = agent;
  const screen = await agent.open();
  const { name } = await onlyInstance(bed);
  const submit = (words: string) => screen.type(`${words}\r`);
  /** Waits until the turn that has begun is over. */
  const ends = async (why: string) => {
    await waitFor(bed, name, 'idle');
    assert.equal((await listed(bed, name)).attention.why, why);
  };
  await ends('fresh');
  submit('please take 600000 ms');
  await screen.waitFor('Working...', 30_000);
  assert.equal((await listed(bed, name)).attention.status, 'working');
  screen.key('escape');
  await ends('interrupted');
  submit('please fail');
  await screen.waitFor('the model refuses', 30_000);
  await ends('failed');
  await agent.say(screen, 'hello there');
  await ends('finished');
});
