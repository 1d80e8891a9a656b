// coi tmux send: keys, and screens that it does not type into.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';

const timeout = 180_000;
let bed: Bed;

before(async () => {
  bed = await makeBed();
});
after(() => bed?.[Symbol.asyncDispose]());

test('keys and an empty text are pressed, and names of keys are not typed', {
  timeout,
}, async () => {
  const low = `${bed.prefix}keys`;
  assert.equal((await bed.coi(['container', 'launch', bed.image, low])).status, 0);
  const inLow = (...command: string[]) => bed.coi(['container', 'exec', low, '--', ...command]);
  const shown = (text: string) =>
    inLow(
      'sh',
      '-c',
      `until tmux capture-pane -p -t =coi-${low}: | grep -q ${text}; do sleep 0.1; done`,
    );
  await inLow('tmux', 'new-session', '-d', '-s', `coi-${low}`, 'cat -v');
  const send = async (...args: string[]) => {
    const result = await bed.coi(['tmux', 'send', low, ...args]);
    assert.equal(result.status, 0, result.stderr);
  };
  await send(
    '--key',
    'Escape',
    '--key',
    'F5',
    '--key',
    ';',
    '--key',
    "'",
    '--key',
    '"',
    '--key',
    '$',
  );
  await send('--key', '#', '--key', '{', '--key', '~', '--key', '-', '--key', 'M-x', '--key', 'z');
  await send('');
  await send("two $HOME #{pid} ; 'words'");
  await shown('words');
  const { stdout } = await bed.coi(['tmux', 'capture', low]);
  assert.match(stdout, /^\^\[\^\[\[15~;'"\$#\{~-\^\[xz$/m);
  assert.match(stdout, /^two \$HOME #\{pid\} ; 'words'$/m);
  for (const args of [[], ['x', '--key', 'y'], ['--key', 'Escap'], ['--key', 'rm -rf']])
    assert.equal((await bed.coi(['tmux', 'send', low, ...args])).status, 2, args.join());
});

test('a text is typed into a dialog only if requested', { timeout }, async () => {
  const low = `${bed.prefix}asks`;
  assert.equal((await bed.coi(['container', 'launch', bed.image, low])).status, 0);
  const inLow = (...command: string[]) => bed.coi(['container', 'exec', low, '--', ...command]);
  const session = `coi-${low}`;
  const screens = {
    claude: 'Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel · Tab to amend\n',
    codex: 'Run it?\n› 1. Yes, proceed (y)\n  2. No\n\n  Press enter to confirm or esc to cancel\n',
    opencode: '┃ △ Permission required\n┃ $ rm x\n┃  Allow once  Allow always  Reject\n',
  };
  const begin = async (screen: string) => {
    await inLow('tmux', 'kill-server');
    await inLow('sh', '-c', `printf %s "$1" >/screen; printf '%s\\n' "$1" >>/all`, 'sh', screen);
    await inLow('tmux', '-u', 'new-session', '-d', '-s', session, 'cat /screen; exec cat >/typed');
    await inLow(
      'sh',
      '-c',
      `until tmux capture-pane -p -t =${session}: | grep -q .; do sleep 0.1; done`,
    );
  };
  const typed = async () => (await inLow('cat', '/typed')).stdout;
  const send = (...args: string[]) => bed.coi(['tmux', 'send', low, ...args]);
  for (const [agent, screen] of Object.entries(screens)) {
    await begin(screen);
    for (const text of ['please wait', '', 'two\nlines']) {
      const result = await send(text);
      assert.equal(result.status, 3, agent);
      assert.match(
        result.stderr,
        /^Error: nothing was typed: .* is asking a question\nHint: .*--raw/,
      );
    }
    assert.equal(await typed(), '', agent);
    assert.equal((await send('--raw', 'all the same')).status, 0);
    await inLow('sh', '-c', 'until grep -q same /typed; do sleep 0.1; done');
    assert.equal(await typed(), 'all the same\n');
  }
  // The key of an option that is shown selects it; there is no Enter, which would answer the next dialog.
  await begin(screens.claude);
  assert.equal((await send('3')).status, 3);
  assert.equal((await send('2')).status, 0);
  await inLow('tmux', 'send-keys', '-t', `=${session}:`, 'Enter');
  await inLow('sh', '-c', 'until grep -q . /typed; do sleep 0.1; done');
  assert.equal(await typed(), '2\n');
  // Choices without numbers, and a footer.
  await begin('Allow it?\n ❯ No\n   Yes\n\n Esc to cancel · Tab to amend\n');
  assert.equal((await send('go on')).status, 3);
  // A list in the conversation is not a dialog.
  await begin('❯ 1. do this\n  2. do that\n\n  esc to interrupt\n');
  assert.equal((await send('go on')).status, 0);
});
