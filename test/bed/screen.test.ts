// The driver itself, on programs whose behaviour is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchModes } from './modes.ts';
import { startScreen, statusOfSignal } from './screen.ts';

const place = {
  env: { PATH: '/usr/bin:/bin', TERM: 'xterm-256color', HOME: '/nonexistent' },
  cwd: '/tmp',
};

test('shows what a program prints, and types into it', async () => {
  const screen = startScreen(['cat'], place);
  screen.type('hello there\r');
  await screen.waitUntil('the line twice', (text) => text.split('hello there').length === 3);
  screen.key('ctrl-d');
  assert.equal((await screen.ended()).status, 0);
});

test('gives the program the size of the terminal, also after a resize', async () => {
  const script = 'trap "stty size" WINCH; stty size; while read -r line; do :; done';
  const screen = startScreen(['bash', '-c', script], { ...place, columns: 90, rows: 20 });
  await screen.waitFor('20 90');
  screen.resize(61, 17);
  // bash runs the trap when its read returns.
  screen.key('enter');
  await screen.waitFor('17 61');
  await screen.close();
});

test('a wait ends with the screen in the error, when the limit is over or the program is gone', async () => {
  const screen = startScreen(['sh', '-c', 'echo something else; exec cat'], place);
  await assert.rejects(screen.waitFor('never shown', 300), /not within 300 ms.*something else/s);
  const gone = assert.rejects(screen.waitFor('never shown'), /status 143.*without/s);
  screen.kill('SIGTERM');
  await gone;
  assert.equal((await screen.exit).status, statusOfSignal('SIGTERM'));
});

test('a hang-up reaches the program as SIGHUP', async () => {
  const screen = startScreen(['cat'], place);
  // A program that is not there yet finds a dead terminal, and gets no signal.
  screen.type('here\r');
  await screen.waitUntil('the line twice', (text) => text.split('here').length === 3);
  screen.hangUp();
  assert.equal((await screen.ended()).status, statusOfSignal('SIGHUP'));
});

test('modes that a program leaves changed are told from modes that it restored', async () => {
  for (const [script, same] of [
    ['stty raw -echo', false],
    ['old=$(stty -g); stty raw -echo; stty "$old"', true],
  ] as const) {
    const modes = await watchModes(['sh', '-c', script], { uid: 0, gid: 0 });
    const screen = startScreen(modes.argv, place);
    await screen.ended();
    assert.equal(modes.before() === modes.after(), same, script);
    await modes.remove();
  }
});

test('modes are noted also when ctrl-c ends the program, whose status is passed on', async () => {
  const modes = await watchModes(['sh', '-c', 'echo ready; exec cat'], { uid: 0, gid: 0 });
  const screen = startScreen(modes.argv, place);
  await screen.waitFor('ready');
  screen.key('ctrl-c');
  assert.equal((await screen.ended()).status, statusOfSignal('SIGINT'));
  assert.equal(modes.before(), modes.after());
  assert.notEqual(modes.pid(), screen.pid);
  await modes.remove();
});
