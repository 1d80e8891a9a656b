// A question at a real terminal, and the ways not to answer it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';
import { type Screen, startScreen } from '../bed/screen.ts';

function asked(place: ConfigPlace): Screen {
  place.project('[network]\nmode = "open"\n');
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.home, TERM: 'xterm' };
  return startScreen([coiPath(), 'trust'], { env, cwd: place.workspace });
}

test('Ctrl-C at a question ends the program at once, with nothing done', async () => {
  using place = new ConfigPlace();
  const screen = asked(place);
  await screen.waitFor('Approve? [y/N]:');
  screen.key('ctrl-c');
  assert.equal((await screen.ended()).status, 130);
  assert.match(screen.history(), /\nError: interrupted by SIGINT/);
  const again = asked(place);
  await again.waitFor('Approve? [y/N]:');
  again.kill('SIGTERM');
  assert.equal((await again.ended()).status, 143);
});

test('the end of the input is a no, on a line of its own', async () => {
  using place = new ConfigPlace();
  const screen = asked(place);
  await screen.waitFor('Approve? [y/N]:');
  screen.key('ctrl-d');
  assert.equal((await screen.ended()).status, 0);
  assert.match(screen.history(), /Approve\? \[y\/N\]:.*\nCancelled\./);
});
