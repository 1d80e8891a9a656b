// Tests the terminal driver itself with programs of known behaviour.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startScreen, statusOfSignal } from './screen.ts';
import { watchModes } from './terminal-modes.ts';

const defaults = {
  env: { PATH: '/usr/bin:/bin', TERM: 'xterm-256color', HOME: '/nonexistent' },
  cwd: '/tmp',
};

test("a screen shows a program's output and types into it", async () => {
  const screen = startScreen(['cat'], defaults);
  screen.type('hello there\r');
  await screen.waitUntil('the line twice', (text) => text.split('hello there').length === 3);
  screen.key('ctrl-d');
  assert.equal((await screen.ended()).status, 0);
});

test("a program gets the screen's size, at the start and after a resize", async () => {
  const script = 'trap "stty size" WINCH; stty size; while read -r line; do :; done';
  const screen = startScreen(['bash', '-c', script], { ...defaults, columns: 90, rows: 20 });
  await screen.waitFor('20 90');
  screen.resize(61, 17);
  // bash runs the trap when its read returns.
  screen.key('enter');
  await screen.waitFor('17 61');
  await screen.close();
});

test("a wait that times out, or whose program ended, fails with the screen's content", async () => {
  const screen = startScreen(['sh', '-c', 'echo something else; exec cat'], defaults);
  await assert.rejects(screen.waitFor('never shown', 300), /not within 300 ms.*something else/s);
  const rejected = assert.rejects(screen.waitFor('never shown'), /status 143.*without/s);
  screen.kill('SIGTERM');
  await rejected;
  assert.equal((await screen.exit).status, statusOfSignal('SIGTERM'));
});

test('a hang-up reaches the program as SIGHUP', async () => {
  const screen = startScreen(['cat'], defaults);
  // A program that has not started yet would find a dead terminal and get no signal.
  screen.type('here\r');
  await screen.waitUntil('the line twice', (text) => text.split('here').length === 3);
  screen.hangUp();
  assert.equal((await screen.ended()).status, statusOfSignal('SIGHUP'));
});

test('terminal modes that a program leaves changed are told from restored ones', async () => {
  for (const [script, same] of [
    ['stty raw -echo', false],
    ['old=$(stty -g); stty raw -echo; stty "$old"', true],
  ] as const) {
    const modes = await watchModes(['sh', '-c', script], { uid: 0, gid: 0 });
    const screen = startScreen(modes.argv, defaults);
    await screen.ended();
    assert.equal(modes.before() === modes.after(), same, script);
    await modes.remove();
  }
});

test('terminal modes are recorded after ctrl-c too, and the status is passed on', async () => {
  const modes = await watchModes(['sh', '-c', 'echo ready; exec cat'], { uid: 0, gid: 0 });
  const screen = startScreen(modes.argv, defaults);
  await screen.waitFor('ready');
  screen.key('ctrl-c');
  assert.equal((await screen.ended()).status, statusOfSignal('SIGINT'));
  assert.equal(modes.before(), modes.after());
  assert.notEqual(modes.pid(), screen.pid);
  await modes.remove();
});
