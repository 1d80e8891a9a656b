// A question on a real terminal, and the ways to leave it unanswered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';
import { type Screen, startScreen } from '../bed/screen.ts';

function openQuestion(setup: ConfigFixture): Screen {
  setup.project('[network]\nmode = "open"\n');
  const env = { PATH: process.env['PATH'] ?? '', HOME: setup.home, TERM: 'xterm' };
  return startScreen([coiPath(), 'trust'], { env, cwd: setup.workspace });
}

test('Ctrl-C at a question ends the program at once without changes', async () => {
  using fixture = new ConfigFixture();
  const screen = openQuestion(fixture);
  await screen.waitFor('Approve? [y/N]:');
  screen.key('ctrl-c');
  assert.equal((await screen.ended()).status, 130);
  assert.match(screen.history(), /\nError: interrupted by SIGINT; nothing was changed$/);
  const again = openQuestion(fixture);
  await again.waitFor('Approve? [y/N]:');
  again.kill('SIGTERM');
  assert.equal((await again.ended()).status, 143);
});

test('end of input at a question ends the program too, on a new line', async () => {
  using fixture = new ConfigFixture();
  const screen = openQuestion(fixture);
  await screen.waitFor('Approve? [y/N]:');
  screen.key('ctrl-d');
  assert.equal((await screen.ended()).status, 130);
  assert.match(
    screen.history(),
    /Approve\? \[y\/N\]:.*\nError: there was no answer; nothing was changed$/,
  );
});

test('questions of profile delete and migrate can be left the same way', async () => {
  using fixture = new ConfigFixture();
  fixture.project('[network]\nmode = "open"\n[defaults]\nimage = "web"\n');
  const env = { PATH: process.env['PATH'] ?? '', HOME: fixture.home, TERM: 'xterm' };
  const created = startScreen([coiPath(), 'profile', 'create', 'mine', '--user'], {
    env,
    cwd: fixture.workspace,
  });
  assert.equal((await created.ended()).status, 0, created.history());
  for (const args of [['profile', 'delete', 'mine'], ['migrate']])
    for (const key of ['ctrl-c', 'ctrl-d']) {
      const screen = startScreen([coiPath(), ...args], { env, cwd: fixture.workspace });
      await screen.waitFor('[y/N]:');
      screen.key(key);
      assert.equal((await screen.ended()).status, 130, screen.history());
      assert.match(screen.history(), /\nError: .*; nothing was changed$/);
    }
});
