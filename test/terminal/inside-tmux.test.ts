// Information in a session's tmux: the session, the agent's end, and the way out of a nested tmux.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { coiPath } from '../bed/program.ts';
import type { Screen } from '../bed/screen.ts';
import {
  detach,
  homeFile,
  leaveAgent,
  prompt,
  sendMessage,
  startConversation,
} from '../lifecycle/conversation.ts';
import { onlyInstance, shellArgs } from './session.ts';

const timeout = 180_000;
const again =
  /^Claude Code has ended: coi-agent starts it again with its conversation, exit leaves\.$/m;

test('the status line names project, slot and agent, or the alias after one is set', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = await startConversation(bed);
  const project = bed.workspace.path.split('/').at(-1) ?? '';
  await screen.waitFor(`[${project.slice(0, 30)}-1 claude] `);
  await detach(screen);
  homeFile(bed, '.coi/config.toml', '[container]\nalias = "shop"\n');
  const other = await startConversation(bed);
  await other.waitFor('[shop-2 claude] ');
  await detach(other);
  const attached = bed.screen(['attach', 'shop']);
  await attached.waitFor('[shop-2 claude] ');
});

test('after the agent exits, one command restarts it with its conversation, even after a new attach', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = await startConversation(bed);
  await sendMessage(screen, 'remember this');
  await leaveAgent(screen);
  assert.match(screen.text(), again);
  await screen.waitFor('claude: ended] ');
  screen.type('clear\r');
  await screen.waitUntil('an empty screen', (text) => !text.includes('has ended'));
  await detach(screen);

  const attached = bed.screen(['attach']);
  await attached.waitFor('claude: ended] ');
  attached.type('coi-agent\r');
  await attached.waitFor(/Resuming session[\s\S]*> remember this[\s\S]*You:/);
  await attached.waitFor('claude] ');
  attached.type('/exit\r');
  await attached.waitFor(again);
  // The last shell of tmux exits, and the pane with it.
  attached.type('exit\r');
  assert.equal((await attached.ended()).status, 0);

  const anew = bed.screen(['attach']);
  await anew.waitFor(prompt);
  assert.match(anew.text(), again);
  anew.type('coi-agent\r');
  await anew.waitFor(/Resuming session[\s\S]*> remember this[\s\S]*You:/);
});

test('an agent without a conversation starts a new one', { timeout }, async () => {
  await using bed = await makeBed();
  const screen = await startConversation(bed);
  await leaveAgent(screen);
  const { name } = await onlyInstance(bed);
  // Claude Code writes with the first message, the stub agent at once.
  await bed.coi(['container', 'exec', name, '--', 'sh', '-c', 'rm -r ~code/.claude/projects/*']);
  screen.type('clear; coi-agent\r');
  await screen.waitFor('You:');
  assert.doesNotMatch(screen.text(), /Resuming|No conversation/);
});

test('after a container restart, the command to get back is shown', { timeout }, async () => {
  await using bed = await makeBed();
  const screen = await startConversation(bed, ['--persistent']);
  await sendMessage(screen, 'remember this');
  const { name } = await onlyInstance(bed);
  await detach(screen);
  await bed.coi(['container', 'stop', name]);
  await bed.coi(['container', 'start', name]);
  const attached = bed.screen(['attach']);
  await attached.waitFor(prompt);
  const way = `coi shell --container ${name} --resume`;
  assert.ok(attached.text().includes(`claude is not running here: \`exit\`, then run \`${way}\``));
  attached.type('exit\r');
  await attached.ended();
  const back = bed.screen(way.split(' ').slice(1));
  await back.waitFor(/Resuming session[\s\S]*> remember this[\s\S]*You:/);
});

test("attach --bash and a new tmux have the session's variables", { timeout }, async () => {
  await using bed = await makeBed();
  homeFile(bed, '.coi/config.toml', '[defaults]\nforward_env = ["A_KEY", "PATH_LIKE"]\n');
  const words = `it's "two"\nlines`;
  const screen = bed.screen(
    [
      ...shellArgs(bed),
      '--env',
      'PATH=/opt/mine:/usr/local/bin:/usr/bin:/bin',
      '--env',
      'session=s',
    ],
    { env: { A_KEY: 'secret-1', PATH_LIKE: words, TERM: 'xterm-256color' } },
  );
  await screen.waitFor('You:');
  const show = `echo "<$A_KEY|$PATH_LIKE|$PATH|$session|$TERM>"\r`;
  const shown = `<secret-1|${words}|/opt/mine:/usr/local/bin:/usr/bin:/bin|s|`;
  const bash = bed.screen(['attach', '--bash'], { env: { TERM: 'linux' } });
  await bash.waitFor(prompt);
  bash.type(show);
  await bash.waitFor(`${shown}linux>`);
  screen.type('/exit\r');
  await screen.waitFor(prompt);
  screen.type('clear; stat -c %a /dev/shm/coi-agent.env\r');
  await screen.waitFor(/^600/m);
  screen.type('exit\r');
  await screen.ended();
  const attached = bed.screen(['attach']);
  await attached.waitFor(prompt);
  attached.type(show);
  await attached.waitFor(`${shown}tmux-256color>`);
});

test('without tmux, attach --bash has the variables while the agent runs', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const screen = bed.screen([...shellArgs(bed), '--no-tmux', '--env', 'A_KEY=secret-2']);
  await screen.waitFor('You:');
  const bash = bed.screen(['attach', '--bash']);
  await bash.waitFor(prompt);
  bash.type('echo "<$A_KEY>"\r');
  await bash.waitFor('<secret-2>');
});

test('[shell] sets tmux prefix and mouse, and refuses keys that a terminal needs', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  homeFile(bed, '.coi/config.toml', '[shell]\ntmux_prefix = "C-a"\ntmux_mouse = true\n');
  const screen = await startConversation(bed);
  await screen.waitUntil('mouse reporting', () => screen.output().includes('\u001b[?1006h'));
  screen.key('ctrl-a d');
  assert.equal((await screen.ended()).status, 0);
  for (const key of ['C-c', 'C-m', 'C-[', 'x', 'C-a ; kill-server', "C-'"]) {
    homeFile(bed, '.coi/config.toml', `[shell]\ntmux_prefix = "${key}"\n`);
    const result = await bed.coi(['shell', '--background', '--image', bed.image]);
    assert.equal(result.status, 1, key);
    assert.match(result.stderr, /config\.toml.*tmux_prefix.*a key such as "C-a"/, key);
  }
});

test('an agent argument that ends with a semicolon does not end a tmux command', {
  timeout,
}, async () => {
  await using bed = await makeBed({ env: { COI_USE_DUMMY: '0' } });
  homeFile(
    bed,
    '.coi/config.toml',
    '[tool]\nname = "mine"\n[tools.mine]\ncommand = ["bash", "-c", "printf \'<%s>\\\\n\' \\"$@\\"; read", "x", "a;", "b\\\\;", ";", "c"]\n',
  );
  const screen = bed.screen(shellArgs(bed));
  await screen.waitFor(/^<a;>\n<b\\;>\n<;>\n<c>$/m);
});

test("inside the user's own tmux, the inner detach key is shown and works", {
  timeout,
}, async () => {
  await using bed = await makeBed();
  // Keys that arrive together are keys, not a paste.
  const always = 'set -g assume-paste-time 0\nset -g remain-on-exit on\n';
  const outer = (args: readonly string[], config = '') => {
    homeFile(bed, '.tmux.conf', always + config);
    return bed.command(['tmux', '-L', bed.prefix, 'new-session', coiPath(), ...args]);
  };
  const hint =
    'Your own tmux also has the prefix Ctrl-b: Ctrl-b Ctrl-b d detaches from the session';
  const end = async (screen: Screen, prefix = 'ctrl-b') => {
    screen.key(`${prefix} &`);
    await screen.waitFor('kill-window');
    screen.type('y');
    await screen.ended();
  };
  const screen = outer(shellArgs(bed));
  await screen.waitFor(/You:[\s\S]* claude\] Ctrl-b Ctrl-b d detaches /);
  screen.key('ctrl-b ctrl-b d');
  await screen.waitFor(/\[detached \(from session coi-/);
  assert.ok(screen.text().includes(hint), screen.text());
  await end(screen);

  // Another prefix needs no hint.
  const other = outer(['attach'], 'set -g prefix C-a\n');
  await other.waitFor(/You:[\s\S]* claude\] 0:/);
  other.key('ctrl-b d');
  await other.waitFor(/\[detached \(from session coi-/);
  assert.doesNotMatch(other.output(), /Your own tmux/);
  await end(other, 'ctrl-a');
});
