// coi paste with Claude Code: the path becomes an image of the message, and does not answer a dialog.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { claudeOptions, makeAgentBed } from './agent-bed.ts';

/** One red pixel. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);

test('a pasted image reaches the model with the next message', {
  timeout: 240_000,
}, async () => {
  await using agent = await makeAgentBed(claudeOptions);
  const { bed, provider } = agent;
  const screen = await agent.open();
  const file = join(bed.user.home, 'shot.png');
  writeFileSync(file, png);
  const result = await bed.coi(['paste', file]);
  assert.equal(result.status, 0, result.stderr);
  await screen.waitFor(/\[Image #1\]/, 30_000);
  screen.type('what is that');
  await screen.waitFor('what is that');
  screen.type('\r');
  await provider.request('what is that');
  await screen.waitFor('I heard', 30_000);
  // The agent ends, and its conversation is resumed.
  screen.type('/exit');
  await screen.waitFor('Exit the CLI');
  screen.type('\r');
  await screen.waitFor(/Claude Code has ended: coi-agent starts it again/, 30_000);
  screen.type('clear; coi-agent\r');
  await screen.waitFor(/what is that[\s\S]*I heard[\s\S]*bypass permissions on/, 60_000);
  await agent.say(screen, 'once more');
});
