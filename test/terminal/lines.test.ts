// Messages on a user's terminal: a line when a session starts, a line when it is left, and nothing false.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { untilGone } from '../bed/until.ts';
import { onlyInstance } from './session.ts';

const timeout = 180_000;
const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const prompt = /code@\S+\$ *$/m;

/** The lines that are not blank. */
function lines(history: string): string[] {
  return history.split('\n').filter((line) => line.trim() !== '');
}

/** A session at its first screen. */
async function atFirstScreen(bed: Bed) {
  const screen = bed.screen(['shell', '--image', bed.image]);
  await screen.waitFor('You:');
  const { name } = await onlyInstance(bed);
  return { screen, name };
}

test('detaching prints one dim line before and one after, and nothing about cleanup', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { screen, name } = await atFirstScreen(bed);
  screen.key('ctrl-b d');
  assert.equal((await screen.ended()).status, 0);
  assert.deepEqual(lines(screen.history()), [
    `claude in ${name}, slot 1, network restricted`,
    `[detached (from session coi-${name})]`,
    `Detached; the session is still running. Attach: coi attach ${name}`,
  ]);
  assert.match(screen.output(), /\u001b\[2mclaude in /);
  assert.match(screen.output(), /\u001b\[2mDetached; /);

  const again = bed.screen(['attach', name], { env: { NO_COLOR: '1' } });
  await again.waitFor('You:');
  again.key('ctrl-b d');
  assert.equal((await again.ended()).status, 0);
  assert.deepEqual(lines(again.history()), [
    `[detached (from session coi-${name})]`,
    `Detached; the session is still running. Attach: coi attach ${name}`,
  ]);
  assert.ok(!again.output().includes('\u001b[2mDetached'));
});

test('the end of a session prints the resume command, which works in full and with an id prefix', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const { screen, name } = await atFirstScreen(bed);
  screen.type('/exit\r');
  await screen.waitFor(prompt);
  screen.type('sudo poweroff\r');
  assert.equal((await screen.ended()).status, 0);
  const [endLine = ''] = lines(screen.history()).filter((line) => line.startsWith('Session ended'));
  const [, id = ''] =
    new RegExp(`^Session ended; resume: coi shell --resume=(${uuid})$`).exec(endLine) ?? [];
  assert.ok(id, screen.history());
  assert.ok(!/cleanup|Cleaning|Saving/.test(screen.history()), screen.history());
  await untilGone(bed.incus, name);

  // A narrow terminal that cannot move its cursor.
  const again = bed.screen(['shell', `--resume=${id.slice(0, 8)}`, '--image', bed.image], {
    columns: 40,
    env: { TERM: 'dumb' },
  });
  await again.waitUntil('the session', () => /claude in \S+, slot 1/.test(again.history()));
  const startLine = again.output().split('claude in ')[0] ?? '';
  assert.ok(!startLine.includes('\u001b'), JSON.stringify(startLine));
  assert.match(again.history(), /^claude in \S+, slot 1$/m);
});

test('`exit` in the shell is not reported as detaching', { timeout }, async () => {
  await using bed = await makeBed();
  const { screen, name } = await atFirstScreen(bed);
  screen.type('/exit\r');
  await screen.waitFor(prompt);
  screen.type('exit\r');
  assert.equal((await screen.ended()).status, 0);
  assert.deepEqual(lines(screen.history()), [
    `claude in ${name}, slot 1, network restricted`,
    '[exited]',
    `The terminal has closed; the container is still running. Attach: coi attach ${name}; end it: coi kill ${name}`,
  ]);
});

test('a signal is reported as such', { timeout }, async () => {
  await using bed = await makeBed();
  const { screen, name } = await atFirstScreen(bed);
  screen.kill('SIGTERM');
  assert.equal((await screen.ended()).status, 0);
  assert.match(
    screen.history(),
    new RegExp(
      `^Interrupted; the session is still running\\. Attach: coi attach ${name}; end it: coi kill ${name}$`,
      'm',
    ),
  );
});

test('background, persist and kill print one line each', { timeout }, async () => {
  await using bed = await makeBed();
  const started = bed.screen(['shell', '--background', '--image', bed.image]);
  assert.equal((await started.ended()).status, 0);
  const { name } = await onlyInstance(bed);
  const stderrOf = async (...args: string[]) => {
    const screen = bed.screen(args, { columns: 160 });
    assert.equal((await screen.ended()).status, 0, screen.history());
    return lines(screen.history()).filter((line) => !/that the host might execute/.test(line));
  };
  assert.deepEqual(lines(started.history()), [
    `claude in ${name}, slot 1, network restricted`,
    `Started in the background. Attach: coi attach ${name}; screen: coi tmux capture ${name}`,
  ]);
  assert.deepEqual(await stderrOf('persist', name), [`${name} is kept when it stops`]);
  const [kept, killed, ...more] = await stderrOf('kill', name);
  assert.match(kept ?? '', new RegExp(`^${name} was persistent: `));
  assert.match(killed ?? '', new RegExp(`^Killed ${name}; resume: coi shell --resume=${uuid}$`));
  assert.deepEqual(more, []);
});

test('--verbose prints every step on a terminal, and output through a pipe is unchanged', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const args = ['shell', '--background', '--image', bed.image];
  const screen = bed.screen([...args, '--verbose'], { columns: 300 });
  assert.equal((await screen.ended()).status, 0);
  const piped = await bed.coi(args);
  const shape = (text: string) =>
    lines(text)
      // Only a step that takes long has its own line.
      .filter((line) => !/\.\.\.$/.test(line) || /^(Setting up|Starting) session/.test(line))
      .map((line) =>
        line
          .replaceAll(new RegExp(uuid, 'g'), 'ID')
          .replaceAll(new RegExp(`${bed.prefix}[0-9a-f]{8}-\\d`, 'g'), 'NAME')
          .replace(/slot \d/, 'slot N'),
      );
  assert.deepEqual(shape(screen.history()), shape(piped.stderr));
  assert.match(piped.stderr, /^Auto-allocated slot 2\nSetting up session /);
  assert.match(piped.stderr, /Use 'coi attach \S+' to attach\n$/);
});
