// Claude Code itself with what its user has at home: commands, skills, hooks and status line work inside, and what names
// a program that stays outside keeps nobody from working.
import assert from 'node:assert/strict';
import { existsSync, lchownSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Bed } from '../bed/bed.ts';
import { endMs, homeFile, sessionId, storeOf } from '../lifecycle/talk.ts';
import { onlyInstance } from '../terminal/session.ts';
import { assertHeard, claudeOptions, makeAgentBed } from './talk.ts';

const timeout = 240_000;
const hook = (command: string) => [{ hooks: [{ type: 'command', command }] }];

/** A home as people have it: scripts by absolute paths, one of them gone, one elsewhere. */
function furnish(bed: Bed): void {
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
        // Python ends with 2 for a file that is not there, by which Claude refuses what was asked.
        UserPromptSubmit: hook(`python3 ${home}/bin/check.py`),
        PreToolUse: hook(`python3 ${home}/.claude/hooks/gone.py`),
      },
    }),
  );
  homeFile(bed, '.claude.json', JSON.stringify({ mcpServers: { github: { command: 'npx' } } }));
}

test('what a user has at home works inside, and what stays outside is told', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(claudeOptions);
  const { bed, provider } = agent;
  furnish(bed);
  const screen = await agent.open();
  const id = sessionId(screen);
  const told = screen.output();
  assert.match(
    told,
    /Left out of Claude Code's settings: .*check\.py.*gone\.py.*MCP servers \(github\)/,
  );
  assert.match(told, /Not carried into the session: .*commands\/key\.md/);

  assertHeard(await agent.say(screen, 'the first bird is a heron'), ['heron']);
  assert.ok(existsSync(join(bed.workspace.path, 'started')), 'the hook of the start has run');
  await screen.waitFor(/LINE-OF-THE-USER/);
  screen.type('/bird');
  await screen.waitFor('/bird');
  screen.type('\r');
  const { said } = await provider.request('Tell me about the wren');
  assert.ok(said.length > 0);

  const store = storeOf(bed, id);
  assert.ok(existsSync(join(store, '.claude/skills/nests/SKILL.md')));
  assert.equal(existsSync(join(store, '.claude/commands/key.md')), false);
  assert.equal((await bed.coi(['kill', (await onlyInstance(bed)).name])).status, 0);
  await screen.ended(endMs);
});
