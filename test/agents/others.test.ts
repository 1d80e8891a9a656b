// opencode and pi themselves: what was said before a session ended is in the next request after it was resumed.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pace } from '../bed/pace.ts';
import { endMs, inside, prompt, sessionId } from '../lifecycle/talk.ts';
import { onlyInstance } from '../terminal/session.ts';
import { type AgentOptions, assertHeard, makeAgentBed } from './talk.ts';

const timeout = 240_000;

const opencode: AgentOptions = {
  tool: 'opencode',
  ready: /ctrl\+p commands/,
  files: ({ url }) => ({
    '.config/opencode/opencode.json': JSON.stringify({
      model: 'anthropic/claude-sonnet-4-5',
      small_model: 'anthropic/claude-sonnet-4-5',
      provider: { anthropic: { options: { baseURL: `${url}/v1`, apiKey: 'sk-test' } } },
    }),
  }),
};

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

test('opencode: a conversation goes on after kill', { timeout }, async () => {
  await using agent = await makeAgentBed(opencode);
  const first = await agent.open();
  const id = sessionId(first);
  assertHeard(await agent.say(first, 'the first bird is a heron'), ['heron']);
  await agent.bed.coi(['kill', (await onlyInstance(agent.bed)).name]);
  await first.ended(endMs);
  const second = await agent.open([`--resume=${id}`]);
  assertHeard(await agent.say(second, 'which birds'), ['heron']);
});

/** Root of the container lets nothing in any more, as where a firewall drops what is sent: nobody answers, or says no. */
const silence = [
  'add table inet silence',
  'add chain inet silence input { type filter hook input priority 0; }',
  'add rule inet silence input iifname != lo drop',
].map((line) => `sudo nft '${line}'`);

test('opencode: its first screen does not wait for a list of models that nobody sends', {
  timeout,
}, async () => {
  const commands = silence.map((line) => JSON.stringify(`[ ! -e silent ] || ${line}`));
  await using agent = await makeAgentBed({
    ...opencode,
    config: `pre_launch = [${commands.join(', ')}]`,
  });
  const { bed } = agent;
  /** How long the first screen takes, and what opencode was told about its list. */
  const opened = async () => {
    const begunMs = performance.now();
    const screen = await agent.open();
    const tookMs = performance.now() - begunMs;
    const { name } = await onlyInstance(bed);
    const told =
      'tr "\\0" "\\n" </proc/$(pgrep -xo opencode)/environ | grep ^OPENCODE_DISABLE_MODELS';
    const fetches = await inside(bed, name, 'sh', '-c', told);
    await bed.coi(['kill', name]);
    await screen.ended(endMs);
    return { tookMs, fetches };
  };
  const answered = await opened();
  writeFileSync(join(bed.workspace.path, 'silent'), '');
  const silent = await opened();
  assert.equal(silent.fetches.trim(), 'OPENCODE_DISABLE_MODELS_FETCH=1');
  // It takes more than twenty seconds longer otherwise.
  const longerMs = silent.tookMs - answered.tookMs;
  assert.ok(longerMs < 10_000 * (await pace()), `${longerMs} ms longer`);
});

test('pi: a conversation goes on after kill and after poweroff', { timeout }, async () => {
  await using agent = await makeAgentBed(pi);
  const { bed } = agent;
  const first = await agent.open();
  const id = sessionId(first);
  assertHeard(await agent.say(first, 'the first bird is a heron'), ['heron']);
  await bed.coi(['kill', (await onlyInstance(bed)).name]);
  await first.ended(endMs);
  const second = await agent.open(['--resume']);
  assertHeard(await agent.say(second, 'the second bird is an owl'), ['heron', 'owl']);
  second.key('ctrl-c');
  second.key('ctrl-c');
  await second.waitFor(prompt, 20_000);
  second.type('sudo poweroff\r');
  await second.ended(endMs);
  const third = await agent.open([`--resume=${id}`]);
  assertHeard(await agent.say(third, 'which birds'), ['heron', 'owl']);
});
