// The real Claude Code with its user's files: commands, skills, hooks and status line work inside, and references to
// programs outside do not block work.
import assert from 'node:assert/strict';
import { existsSync, lchownSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bed } from '../bed/bed.ts';
import { endMs, homeFile, sessionId, storeOf } from '../lifecycle/conversation.ts';
import { onlyInstance } from '../terminal/session.ts';
import { assertContains, claudeOptions, makeAgentBed } from './agent-bed.ts';

const timeout = 240_000;
const hook = (command: string) => [{ hooks: [{ type: 'command', command }] }];

/** A typical home: scripts by absolute path, one missing, one elsewhere. */
function createAgentFiles(bed: Bed): void {
  const { home, uid, gid } = bed.user;
  homeFile(bed, '.ssh/id_ed25519', 'the private key');
  homeFile(bed, '.claude/hooks/start.sh', 'touch "$CLAUDE_PROJECT_DIR/started"\n');
  homeFile(bed, '.claude/line.sh', 'echo LINE-OF-THE-USER\n');
  homeFile(bed, '.claude/commands/bird.md', 'Tell me about the wren.\n');
  homeFile(
    bed,
    '.claude/skills/nests/SKILL.md',
    '---\nname: nests\ndescription: How to build nests\n---\nTwigs.\n',
  );
  homeFile(bed, 'bin/check.py', 'import sys\n');
  symlinkSync(join(home, '.ssh/id_ed25519'), join(home, '.claude/commands/key.md'));
  lchownSync(join(home, '.claude/commands/key.md'), uid, gid);
  homeFile(
    bed,
    '.claude/settings.json',
    JSON.stringify({
      statusLine: { type: 'command', command: `sh ${home}/.claude/line.sh` },
      hooks: {
        SessionStart: hook(`sh ${home}/.claude/hooks/start.sh`),
        // Python exits with 2 if a file is missing, which makes Claude refuse the request.
        UserPromptSubmit: hook(`python3 ${home}/bin/check.py`),
        PreToolUse: hook(`python3 ${home}/.claude/hooks/gone.py`),
      },
    }),
  );
  homeFile(bed, '.claude.json', JSON.stringify({ mcpServers: { github: { command: 'npx' } } }));
}

test("the user's agent files work inside, and files that are left out are reported", {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(claudeOptions);
  const { bed, provider } = agent;
  createAgentFiles(bed);
  const screen = await agent.open();
  const id = sessionId(screen);
  const reported = screen.output();
  assert.match(
    reported,
    /Left out of Claude Code's settings: .*check\.py.*gone\.py.*MCP servers \(github\)/,
  );
  assert.match(reported, /Not carried into the session: .*commands\/key\.md/);

  assertContains(await agent.say(screen, 'the first bird is a heron'), ['heron']);
  assert.ok(existsSync(join(bed.workspace.path, 'started')), 'the hook of the start has run');
  await screen.waitFor(/LINE-OF-THE-USER/);
  screen.type('/bird');
  await screen.waitFor('/bird');
  screen.type('\r');
  const { messages } = await provider.request('Tell me about the wren');
  assert.ok(messages.length > 0);

  const store = storeOf(bed, id);
  assert.ok(existsSync(join(store, '.claude/skills/nests/SKILL.md')));
  assert.equal(existsSync(join(store, '.claude/commands/key.md')), false);
  assert.equal((await bed.coi(['kill', (await onlyInstance(bed)).name])).status, 0);
  await screen.ended(endMs);
});
