// coi paste: transfers files, stdin and the clipboard image from the host to the agent.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { homeFile, prompt } from '../lifecycle/conversation.ts';
import { onlyInstance, shellArgs } from './session.ts';

const timeout = 180_000;
let bed: Bed;
let name: string;

before(async () => {
  bed = await makeBed();
  homeFile(bed, '.coi/config.toml', '[container]\nalias = "shop"\n');
  const started = await bed.coi([...shellArgs(bed), '--background']);
  assert.equal(started.status, 0, started.stderr);
  name = (await onlyInstance(bed)).name;
});
after(() => bed?.[Symbol.asyncDispose]());

const inside = async (...command: string[]) =>
  (await bed.coi(['container', 'exec', name, '--', ...command])).stdout;

test('pasted files are stored outside the project for the agent, and their paths typed without Enter', {
  timeout,
}, async () => {
  const screen = bed.screen(['attach']);
  await screen.waitFor('You:');
  homeFile(bed, 'My "shot" $(x).png', 'picture');
  const { home } = bed.user;
  const file = join(home, 'My "shot" $(x).png');
  const first = await bed.coi(['paste', file]);
  assert.equal(first.status, 0, first.stderr);
  assert.equal(first.stdout, '/home/code/drop/My-shot-x.png\n');
  assert.equal(first.stderr, '');
  await screen.waitFor('You: /home/code/drop/My-shot-x.png');
  assert.doesNotMatch(screen.text(), /You said/);
  assert.equal(await inside('cat', '/home/code/drop/My-shot-x.png'), 'picture');
  assert.equal(
    await inside('stat', '-c', '%U %a', '/home/code/drop', '/home/code/drop/My-shot-x.png'),
    'code 700\ncode 600\n',
  );
  // From any directory, by its alias; the same name again gets a number.
  const piped = bed.startCoi(['paste', 'shop', file, '-', '--json'], { cwd: '/', input: 'x' });
  assert.equal((await piped.result).status, 2);
  const more = await bed.coi(['paste', 'shop-1', '-', '--name', 'My shot x.png', '--json'], {
    cwd: '/',
    input: 'of stdin',
  });
  assert.equal(more.status, 0, more.stderr);
  assert.deepEqual(JSON.parse(more.stdout), {
    container: name,
    session: `coi-${name}`,
    typed: true,
    files: [{ path: '/home/code/drop/My-shot-x-2.png', local: '-', bytes: 8 }],
  });
  await screen.waitFor('My-shot-x.png /home/code/drop/My-shot-x-2.png');
  screen.type('\r');
  await screen.waitFor(/You said: \/home\/code\/drop\/My-shot-x\.png \/home/);
});

test("a clipboard image is read with the desktop's own program", {
  timeout,
}, async () => {
  const programs = join(bed.user.home, 'programs');
  mkdirSync(programs, { recursive: true });
  const program = (file: string, script: string) => {
    writeFileSync(join(programs, file), `#!/bin/sh\n${script}\n`);
    chmodSync(join(programs, file), 0o755);
  };
  const coi = (env: Record<string, string>) =>
    bed.coi(['paste'], { env: { PATH: `${programs}:/usr/bin:/bin`, ...env } });
  program(
    'wl-paste',
    'case "$*" in --list-types) echo text/html; echo image/png ;; "--no-newline --type image/png") printf wayland ;; *) exit 9 ;; esac',
  );
  const wayland = await coi({ WAYLAND_DISPLAY: 'wayland-0', DISPLAY: ':0' });
  assert.equal(wayland.stdout, '/home/code/drop/clipboard.png\n', wayland.stderr);
  assert.equal(await inside('cat', '/home/code/drop/clipboard.png'), 'wayland');
  program(
    'xclip',
    'case "$*" in "-selection clipboard -target TARGETS -out") echo image/jpeg ;; "-selection clipboard -target image/jpeg -out") printf x11 ;; *) exit 9 ;; esac',
  );
  const x11 = await coi({ DISPLAY: ':0' });
  assert.equal(x11.stdout, '/home/code/drop/clipboard.jpg\n', x11.stderr);
  program('wl-paste', 'echo text/plain');
  const text = await coi({ WAYLAND_DISPLAY: 'wayland-0' });
  assert.equal(text.status, 1);
  assert.equal(text.stderr, 'Error: the clipboard holds no image\nHint: It holds text/plain.\n');
  program(
    'wl-paste',
    'case "$1" in --list-types) echo image/png ;; *) head -c 70000000 /dev/zero ;; esac',
  );
  assert.match((await coi({ WAYLAND_DISPLAY: 'wayland-0' })).stderr, /more than 64 MiB/);
  rmSync(programs, { recursive: true });
  const missing = await coi({ WAYLAND_DISPLAY: 'wayland-0' });
  assert.match(missing.stderr, /^Error: wl-paste is needed .*\nHint: Install the package wl-clip/);
  assert.match((await coi({})).stderr, /^Error: there is no clipboard here/);
});

test('content that cannot be pasted is reported and leaves nothing', { timeout }, async () => {
  const before = await inside('ls', '/home/code/drop');
  const { home, uid, gid } = bed.user;
  homeFile(bed, 'secret', 'secret');
  symlinkSync(join(home, 'secret'), join(bed.workspace.path, 'planted.png'));
  writeFileSync(join(bed.workspace.path, 'shop'), '');
  // Left by an agent whose session has ended: in an unknown directory, and in a saved session's workspace.
  const saved = join(home, 'saved');
  for (const path of ['left', 'saved']) mkdirSync(join(home, path));
  symlinkSync(join(home, 'secret'), join(home, 'left/shot.png'));
  symlinkSync(home, join(saved, 'shots'));
  const id = '6ce1bd84-9f0d-4b51-8d4f-0a2c4cf6f1aa';
  homeFile(
    bed,
    `.coi/sessions-claude/${id}/metadata.json`,
    JSON.stringify(
      { session_id: id, container_name: 'coi-12345678-1', persistent: false, workspace: saved },
      null,
      2,
    ),
  );
  writeFileSync(join(home, 'large'), Buffer.alloc(64 * 2 ** 20 + 1));
  chownSync(join(home, 'large'), uid, gid);
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['planted.png'],
      /^Error: "planted\.png" is a symbolic link\nHint: .* name that: ".*\/secret"/,
    ],
    [[join(home, 'left/shot.png')], /^Error: ".*shot\.png" is a symbolic link/],
    [[join(saved, 'shots/secret')], /^Error: .*secret follows a symbolic link/],
    [['shop'], /^Error: "shop" is both a session and a file\nHint: Write \.\/shop/],
    [['nothing'], /^Error: no session or file named "nothing"/],
    [['./nothing.png'], /^Error: ".\/nothing.png" does not exist/],
    [[join(home, 'large')], /more than 64 MiB\nHint: `coi file push`/],
    [[home], /^Error: .* directory/],
    [['/dev/zero'], /^Error: .*\/dev\/zero/],
    [['-'], /^Error: - needs a name/],
    [['--slot', '9', './shop'], /not found or not running/],
    [['coi-none-1', './shop'], /no session or file named/],
  ];
  for (const [args, error] of wrong) {
    const output = await bed.coi(['paste', ...args]);
    assert.notEqual(output.status, 0, args.join(' '));
    assert.match(output.stderr, error, args.join(' '));
    assert.equal(output.stdout, '');
  }
  assert.equal(await inside('ls', '/home/code/drop'), before);
  // The agent's link in place of the directory is not followed.
  await inside('sh', '-c', 'mv ~code/drop ~code/was && ln -s /etc ~code/drop');
  const refused = await bed.coi(['paste', './shop']);
  assert.match(refused.stderr, /drop in \S+ is not a directory/);
  await inside('sh', '-c', 'rm ~code/drop && mv ~code/was ~code/drop');
});

test('while a dialog is open nothing is typed or stored', { timeout }, async () => {
  const before = await inside('ls', '/home/code/drop');
  const screen = bed.screen(['attach']);
  await screen.waitFor('You:');
  screen.key('ctrl-c');
  screen.type('/exit\r');
  await screen.waitFor(prompt);
  screen.type("clear; printf 'Proceed?\\n ❯ 1. Yes\\n   2. No\\n\\n Esc to cancel\\n'; read x\r");
  await screen.waitFor('Esc to cancel');
  writeFileSync(join(bed.user.home, 'a.png'), 'a');
  const output = await bed.coi(['paste', join(bed.user.home, 'a.png')]);
  assert.equal(output.status, 3);
  assert.match(output.stderr, /nothing was typed: .* is asking a question/);
  assert.equal(output.stdout, '');
  assert.equal(await inside('ls', '/home/code/drop'), before);
});

test('without tmux the path is printed to the user only', { timeout }, async () => {
  const screen = bed.screen([...shellArgs(bed), '--no-tmux', '--slot', '2']);
  await screen.waitFor('You:');
  const output = await bed.coi(['paste', '--slot', '2', './shop']);
  assert.equal(output.stdout, '/home/code/drop/shop\n', output.stderr);
  assert.match(output.stderr, /^Warning: .* no tmux session, so nothing was typed/);
  assert.doesNotMatch(screen.text(), /drop/);
  // Several run now, and none was named.
  const which = await bed.coi(['paste', './shop'], { cwd: bed.workspace.path });
  assert.match(which.stderr, /^Error: 2 sessions are running\nHint: Name one: /);
});
