// `coi ui` on a real terminal: it gives the terminal back at every end, fits into every size, and leads to sessions and back.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { coiPath } from '../bed/program.ts';
import { type Screen, statusOfSignal } from '../bed/screen.ts';

const timeout = 240_000;
const shown = /\d sessions?/;
/** Alternate screen, hidden cursor, marked pastes, lines without wrapping: each must end as it was. */
const modesOf = /\u001b\[\?(1049|25|2004|7)([hl])/g;
const restored = new Map([
  ['1049', 'l'],
  ['25', 'h'],
  ['2004', 'l'],
  ['7', 'h'],
]);

/** Without its own bracketed paste: the modes are those that coi leaves. */
async function startShell(bed: Bed): Promise<Screen> {
  const settings = join(bed.workspace.path, 'inputrc');
  await writeFile(settings, 'set enable-bracketed-paste off\n');
  const shell = bed.command(['bash', '--norc', '--noprofile', '-i'], {
    env: { PS1: 'ready> ', INPUTRC: settings },
  });
  await shell.waitFor('ready>');
  return shell;
}

async function startSessions(bed: Bed, count: number): Promise<readonly string[]> {
  for (let left = count; left > 0; left -= 1) {
    const result = await bed.coi(['shell', '--background', '--image', bed.image]);
    assert.equal(result.status, 0, result.stderr);
  }
  return bed.instances();
}

function assertGivenBack(screen: Screen): void {
  const last = new Map(
    [...screen.output().matchAll(modesOf)].map(([, mode = '', to = '']) => [mode, to]),
  );
  for (const [mode, to] of restored) assert.equal(last.get(mode), to, `mode ${mode}`);
  assert.doesNotMatch(screen.text(), shown);
}

test('every end of coi ui restores the terminal', { timeout }, async () => {
  await using bed = await makeBed();
  await startSessions(bed, 1);
  const ends: readonly [string, (screen: Screen, pid: number) => void, number][] = [
    ['q', (screen) => screen.key('q'), 0],
    ['ctrl-c', (screen) => screen.key('ctrl-c'), 0],
    ['ctrl-d', (screen) => screen.key('ctrl-d'), 0],
    ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map(
      (signal): [string, (screen: Screen, pid: number) => void, number] => [
        signal,
        (_, pid) => void process.kill(pid, signal),
        statusOfSignal(signal),
      ],
    ),
  ];
  for (const [name, end, status] of ends) {
    const { screen, modes } = await bed.watchedScreen(['ui']);
    await screen.waitFor(shown);
    end(screen, modes.pid());
    assert.equal((await screen.ended()).status, status, name);
    assert.equal(modes.after(), modes.before(), name);
    assertGivenBack(screen);
  }
});

test('after kill -9 of coi ui the terminal is restored, for a script and for a shell', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  await startSessions(bed, 1);
  const start = 'sh -c \'echo "pid $$ "; exec "$0" ui\'';
  const pidOf = (screen: Screen) => Number(/pid (\d+) /.exec(screen.output())?.[1]);

  const script = `before=$(stty -g); ${start} "$0"; until [ "$(stty -g)" = "$before" ]; do :; done; echo restored`;
  const scripted = bed.command(['sh', '-c', script, coiPath()]);
  await scripted.waitFor(shown);
  process.kill(pidOf(scripted), 'SIGKILL');
  await scripted.waitFor('restored');
  await scripted.ended();
  assertGivenBack(scripted);

  const shell = await startShell(bed);
  shell.type(`${start} ${coiPath()}\r`);
  await shell.waitFor(shown);
  process.kill(pidOf(shell), 'SIGKILL');
  await shell.waitUntil('the prompt', (text) => /ready>/.test(text) && !shown.test(text));
  shell.type('echo $((6 * 7))\r');
  // Typed characters are seen once: bash has its own modes.
  await shell.waitFor(/ready> echo \$\(\(6 \* 7\)\)\n42\nready>/);
  assertGivenBack(shell);
});

test('ctrl-z stops coi ui, and fg shows it again', { timeout }, async () => {
  await using bed = await makeBed();
  await startSessions(bed, 1);
  const shell = await startShell(bed);
  shell.type(`${coiPath()} ui\r`);
  await shell.waitFor(shown);
  shell.key('ctrl-z');
  await shell.waitFor(/Stopped[\s\S]*ready>/);
  assertGivenBack(shell);
  shell.type('fg\r');
  await shell.waitFor(shown);
  shell.key('q');
  await shell.waitUntil('the prompt', (text) => text.endsWith('ready>') && !shown.test(text));
});

test('Enter attaches to the selected session, and detaching comes back, as often as one likes', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const names = await startSessions(bed, 2);
  const { screen, modes } = await bed.watchedScreen(['ui']);
  for (const [turn, name] of names.entries()) {
    await screen.waitFor(new RegExp(`> ${names[0]} `));
    if (turn > 0) screen.key('j');
    await screen.waitFor(new RegExp(`> ${name} `));
    screen.key('enter');
    await screen.waitFor('You:');
    screen.type(`words for ${name}\r`);
    await screen.waitFor(`You said: words for ${name}`);
    screen.key('ctrl-b d');
    await screen.waitFor(/2 sessions/);
    // Its screen is shown below.
    await screen.waitFor(new RegExp(`│ .*You said: words for ${name}`));
    if (turn > 0) screen.key('k');
  }
  screen.key('q');
  assert.equal((await screen.ended()).status, 0);
  assert.equal(modes.after(), modes.before());
  assertGivenBack(screen);
});

test('sessions are paused, resumed, found and killed from the overview', { timeout }, async () => {
  await using bed = await makeBed();
  const [first = '', second = ''] = await startSessions(bed, 2);
  const screen = bed.screen(['ui']);
  await screen.waitFor(/2 sessions/);
  screen.key('p');
  await screen.waitFor(new RegExp(`Paused ${first}`));
  await screen.waitFor(new RegExp(`${first} +paused`));
  screen.key('p');
  await screen.waitFor(new RegExp(`Resumed ${first}`));
  screen.key('/');
  await screen.waitFor(/^\/$/m);
  screen.type(second);
  await screen.waitFor(`/${second}`);
  screen.key('enter');
  await screen.waitFor(/1 session .*filter/);
  screen.key('x');
  await screen.waitFor(new RegExp(`Kill ${second}\\?`));
  screen.key('n');
  await screen.waitFor('Enter attach');
  assert.deepEqual(await bed.instances(), [first, second]);
  screen.key('x');
  await screen.waitFor(new RegExp(`Kill ${second}\\?`));
  screen.key('y');
  await screen.waitFor(new RegExp(`Killed ${second}`));
  assert.deepEqual(await bed.instances(), [first]);
  await screen.waitFor('No session matches the filter');
  screen.key('escape');
  await screen.waitFor(/1 session/);
  // What others do is seen too.
  assert.equal((await bed.coi(['kill', '--force', first])).status, 0);
  await screen.waitFor('No sessions');
  screen.key('q');
  assert.equal((await screen.ended()).status, 0);
});

test('a storm of sizes leaves a whole overview, from 40 × 10 to 200 × 60', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [name = ''] = await startSessions(bed, 1);
  const screen = bed.screen(['ui']);
  await screen.waitFor(/1 session/);
  for (const [columns, rows] of [
    [40, 10],
    [200, 60],
    [20, 5],
    [1, 1],
    [80, 24],
  ] as const) {
    for (let turn = 0; turn < 40; turn += 1) screen.resize(40 + turn * 4, 10 + turn);
    screen.resize(columns, rows);
    if (columns < 20) continue;
    await screen.waitUntil(`an overview of ${columns} × ${rows}`, (text) => {
      const lines = text.split('\n');
      return (
        lines.length === rows &&
        lines.every((line) => line.length <= columns) &&
        /^1 session/.test(lines[0] ?? '') &&
        lines[1]?.startsWith(`> ${name.slice(0, 4)}`) === true &&
        /^\? help/.test(lines.at(-1) ?? '') &&
        lines.filter((line) => line.includes('? help')).length === 1
      );
    });
  }
  screen.key('q');
  assert.equal((await screen.ended()).status, 0);
});

test('without a terminal that can move its cursor coi ui says what to do', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const piped = await bed.coi(['ui']);
  assert.notEqual(piped.status, 0);
  assert.match(piped.stderr, /coi ui.*terminal/);
  const dumb = bed.screen(['ui'], { env: { TERM: 'dumb' } });
  assert.notEqual((await dumb.ended()).status, 0);
  assert.match(dumb.history(), /coi list --watch/);
});
