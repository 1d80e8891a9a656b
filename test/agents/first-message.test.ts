// The real Claude Code: no dialog appears before the first message, in either permission mode.
import assert from 'node:assert/strict';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { endMs, sessionId } from '../lifecycle/conversation.ts';
import { onlyInstance } from '../terminal/session.ts';
import { type AgentOptions, assertContains, key, makeAgentBed, untilStored } from './agent-bed.ts';

const timeout = 240_000;

/** Unlike in the other tests Claude may request its feature flags, which enable its offers. */
const environment: AgentOptions['environment'] = ({ url }) => ({
  ANTHROPIC_BASE_URL: url,
  ANTHROPIC_API_KEY: key,
});

const modes = {
  bypass: /bypass permissions on/,
  interactive: /\? for shortcuts|shift\+tab to cycle/,
} as const;

for (const [mode, ready] of Object.entries(modes))
  test(`a first message reaches the model in mode ${mode}`, { timeout }, async () => {
    await using agent = await makeAgentBed({
      tool: 'claude',
      ready,
      environment,
      files: () => ({
        // For a user with a default mode already: the offer of auto mode targets them.
        '.claude/settings.json': JSON.stringify({
          permissions: { defaultMode: mode === 'bypass' ? 'bypassPermissions' : 'acceptEdits' },
        }),
      }),
      asking: mode === 'interactive',
    });
    const { bed } = agent;
    const first = await agent.open();
    const id = sessionId(first);
    assertContains(await agent.say(first, 'the first bird is a heron'), ['heron']);
    await untilStored(bed, id, 'heron');
    assert.equal((await bed.coi(['kill', (await onlyInstance(bed)).name])).status, 0);
    await first.ended(endMs);

    // Flags that Claude's provider enables for its customers; Claude stores them in this file.
    const path = `${bed.user.home}/.coi/sessions-claude/${id}/.claude/.claude.json`;
    const state = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    state['cachedGrowthBookFeatures'] = {
      tengu_maple_pier: true,
      tengu_auto_mode_config: { enabled: 'enabled' },
    };
    writeFileSync(path, JSON.stringify(state));
    chownSync(path, bed.user.uid, bed.user.gid);

    const second = await agent.open([`--resume=${id}`]);
    assertContains(await agent.say(second, 'the second bird is an owl'), ['heron', 'owl']);
    assert.doesNotMatch(second.text(), /Make auto mode your default/);
  });
