// The terminal of a session: typing, sizes, terminal types, several at once.
import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { test } from 'node:test';
import { makeBed, type Who } from '../bed/bed.ts';
import { occurrences, shellArgs } from './session.ts';

const timeout = 180_000;
const prompt = /code@\S+\$ *$/m;
const people: readonly Who[] = ['ordinary', 'uid-1000', 'root'];

for (const who of people) {
  test(`${who}: a file that the agent creates in the workspace belongs to the user on the host`, {
    timeout,
  }, async () => {
    await using bed = await makeBed({ who });
    const screen = bed.screen([...shellArgs(bed), '--debug']);
    await screen.waitFor(prompt);
    screen.type(
      'mkdir made && echo text > made/file && sudo touch by-root && clear && ls -ld . made by-root && echo DONE\r',
    );
    await screen.waitFor(/^DONE$/m);
    for (const path of ['made', 'made/file']) {
      const { uid, gid } = await stat(`${bed.workspace.path}/${path}`);
      assert.deepEqual({ uid, gid }, { uid: bed.user.uid, gid: bed.user.gid }, path);
    }
    const { uid } = await stat(`${bed.workspace.path}/by-root`);
    assert.ok(uid >= 65_536, `container root's file belongs to ${uid}`);
  });
}

test('the agent receives typed input, including wide characters', { timeout }, async () => {
  await using bed = await makeBed();
  const screen = bed.screen(shellArgs(bed));
  await screen.waitFor('You:');
  screen.type('grüße 漢字\r');
  await screen.waitFor(/You: grüße 漢字/);
  await screen.waitUntil('the next prompt', (text) => occurrences(text, 'You:') === 2);
});

test('a resize reaches the agent', { timeout }, async () => {
  await using bed = await makeBed();
  const screen = bed.screen([...shellArgs(bed), '--debug'], { columns: 97, rows: 31 });
  await screen.waitFor(prompt);
  screen.type('stty size\r');
  // One row is tmux's status line.
  await screen.waitFor('30 97');
  // Reports when the new size has arrived.
  const watch =
    "trap 'echo SIZE \\$(stty size)' WINCH; echo READY; while :; do sleep 9 & wait; done";
  screen.type(`bash -c "${watch}"\r`);
  await screen.waitFor(/^READY$/m);
  screen.resize(64, 18);
  await screen.waitFor('SIZE 17 64');
});

test('an unknown terminal type works', { timeout }, async () => {
  for (const term of ['xterm-kitty', 'xterm-ghostty', 'no-such-terminal;reboot']) {
    await using bed = await makeBed();
    const screen = bed.screen(shellArgs(bed), { env: { TERM: term } });
    await screen.waitFor('You:');
    screen.key('ctrl-b d');
    assert.equal((await screen.ended()).status, 0, term);
  }
});

test('a terminal of 80 columns and one row works', { timeout }, async () => {
  await using bed = await makeBed();
  const { screen, modes } = await bed.watchedScreen(shellArgs(bed), { columns: 80, rows: 1 });
  await screen.waitUntil('the alternate screen', () => screen.output().includes('\u001b[?1049h'));
  screen.resize(80, 24);
  await screen.waitFor('You:');
  screen.key('ctrl-b d');
  assert.equal((await screen.ended()).status, 0);
  assert.equal(modes.after(), modes.before());
});

test('without a terminal on stdin, the error names the two alternatives', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const result = await bed.coi(shellArgs(bed));
  assert.equal(result.status, 1);
  assert.match(result.stderr, /^Error: .*terminal/m);
  assert.match(result.stderr, /--background/);
  assert.match(result.stderr, /coi run/);
  assert.deepEqual(await bed.instances(), []);
});

test('two simultaneous starts get different slots and one workspace', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screens = [bed.screen(shellArgs(bed)), bed.screen(shellArgs(bed))];
  await Promise.all(screens.map((screen) => screen.waitFor('You:')));
  const names = await bed.instances();
  assert.deepEqual(
    names.map((name) => name.at(-1)),
    ['1', '2'],
  );
  assert.equal(new Set(names.map((name) => name.slice(0, -2))).size, 1);
});

test('a background session can be attached to from another terminal, twice at the same time', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const started = await bed.coi([...shellArgs(bed), '--background']);
  assert.equal(started.status, 0, started.stderr);
  const [one, other] = [bed.screen(['attach']), bed.screen(['attach'])];
  await Promise.all([one.waitFor('You:'), other.waitFor('You:')]);
  one.type('seen by both\r');
  await other.waitFor('seen by both');
});
