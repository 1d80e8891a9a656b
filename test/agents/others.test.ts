// opencode and pi themselves: what was said before a session ended is in the next request after it was resumed.
import { test } from 'node:test';
import { endMs, prompt, sessionId } from '../lifecycle/talk.ts';
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
