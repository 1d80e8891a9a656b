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
  assert.match(screen.history(), /\nError: interrupted by SIGINT; nothing was changed$/);
  const again = asked(place);
  await again.waitFor('Approve? [y/N]:');
  again.kill('SIGTERM');
  assert.equal((await again.ended()).status, 143);
});

test('the end of the input ends the program too, on a line of its own', async () => {
  using place = new ConfigPlace();
  const screen = asked(place);
  await screen.waitFor('Approve? [y/N]:');
  screen.key('ctrl-d');
  assert.equal((await screen.ended()).status, 130);
  assert.match(
    screen.history(),
    /Approve\? \[y\/N\]:.*\nError: there was no answer; nothing was changed$/,
  );
});

test('every question that needs no Incus is left in the same way', async () => {
  using place = new ConfigPlace();
  place.project('[network]\nmode = "open"\n[defaults]\nimage = "web"\n');
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.home, TERM: 'xterm' };
  const created = startScreen([coiPath(), 'profile', 'create', 'mine', '--user'], {
    env,
    cwd: place.workspace,
  });
  assert.equal((await created.ended()).status, 0, created.history());
  for (const args of [['profile', 'delete', 'mine'], ['migrate']])
    for (const key of ['ctrl-c', 'ctrl-d']) {
      const screen = startScreen([coiPath(), ...args], { env, cwd: place.workspace });
      await screen.waitFor('[y/N]:');
      screen.key(key);
      assert.equal((await screen.ended()).status, 130, screen.history());
      assert.match(screen.history(), /\nError: .*; nothing was changed$/);
    }
});
