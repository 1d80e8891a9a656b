// coi paste with Claude Code: the path becomes an image of the message, and a dialog is not answered by it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { claudeOptions, makeAgentBed } from './talk.ts';

/** One red point. */
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);

test('an image that is pasted is shown to the model with the next message', {
  timeout: 240_000,
}, async () => {
  await using agent = await makeAgentBed(claudeOptions);
  const { bed, provider } = agent;
  const screen = await agent.open();
  const file = join(bed.user.home, 'shot.png');
  writeFileSync(file, png);
  const said = await bed.coi(['paste', file]);
  assert.equal(said.status, 0, said.stderr);
  await screen.waitFor(/\[Image #1\]/, 30_000);
  screen.type('what is that');
  await screen.waitFor('what is that');
  screen.type('\r');
  await provider.request('what is that');
  await screen.waitFor('I heard', 30_000);
  // The end of the agent, and the same conversation again.
  screen.type('/exit');
  await screen.waitFor('Exit the CLI');
  screen.type('\r');
  await screen.waitFor(/Claude Code has ended: coi-agent starts it again/, 30_000);
  screen.type('clear; coi-agent\r');
  await screen.waitFor(/what is that[\s\S]*I heard[\s\S]*bypass permissions on/, 60_000);
  await agent.say(screen, 'once more');
});
