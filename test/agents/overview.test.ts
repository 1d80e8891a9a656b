// `coi ui` with the real Claude Code: who waits comes first, and its question is answered where it is read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askingClaude, makeAgentBed } from './agent-bed.ts';
import { waitFor } from './attention-bed.ts';

const timeout = 300_000;

test('the overview shows who waits, answers it with a key, sends and interrupts', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  const names = [await agent.start(), await agent.start()];
  for (const name of names) await waitFor(bed, name, 'idle');
  const screen = bed.screen(['ui'], { columns: 110, rows: 34 });
  const first = await screen.waitFor(/2 sessions/);
  const [, quiet = ''] = /^> (\S+)/m.exec(first) ?? [];
  const asks = names.find((name) => name !== quiet) ?? '';
  const say = (name: string, words: string) => bed.coi(['send', name, words]);
  const inside = async (name: string, script: string) =>
    (await bed.coi(['container', 'exec', name, '--', 'bash', '-c', script])).stdout;

  assert.equal((await say(asks, 'please run touch /tmp/answered')).status, 0);
  await screen.waitFor(new RegExp(`1 asking[\\s\\S]*${asks} +asks .*Bash: touch /tmp/answered`));
  // The selection stays where it was; Tab goes to who waits.
  await screen.waitFor(new RegExp(`> ${quiet} `));
  screen.key('tab');
  await screen.waitFor(new RegExp(`> ${asks} `));
  await screen.waitFor(/^Bash\n {2}touch \/tmp\/answered\n 1 {2}Yes\n 2 {2}No/m);
  await screen.waitFor('1-9 y n answer');
  screen.key('1');
  await screen.waitFor(`Answered ${asks}`);
  await waitFor(bed, asks, 'idle');
  assert.equal(await inside(asks, 'ls /tmp/answered'), '/tmp/answered\n');
  await screen.waitFor(new RegExp(`${asks} +finished`));
  screen.key('m');
  await screen.waitFor(new RegExp(`${asks} +idle`));

  screen.key('s');
  await screen.waitFor(`Send to ${asks}:`);
  screen.type('please ask me');
  await screen.waitFor('please ask me');
  screen.key('enter');
  await screen.waitFor(`Sent to ${asks}`);
  await screen.waitFor(/button have\?\n 1 {2}Red/);
  screen.key('a');
  await screen.waitFor(`Answer to ${asks}:`);
  screen.type('a warm green');
  await screen.waitFor('a warm green');
  screen.key('enter');
  await screen.waitFor(`Answered ${asks}`);
  await waitFor(bed, asks, 'idle');
  const { stdout } = await bed.coi(['tmux', 'capture', asks]);
  assert.match(stdout, /→ a warm green/);

  assert.equal((await say(asks, 'please take 60000 ms')).status, 0);
  await screen.waitFor(new RegExp(`${asks} +working`));
  screen.key('i');
  await screen.waitFor(`Interrupted ${asks}`);
  assert.equal((await waitFor(bed, asks, 'idle')).why, 'interrupted');
  screen.key('q');
  assert.equal((await screen.ended()).status, 0);
});

test('of two overviews only one answers a question, and text of an agent cannot move the screen', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  const name = await agent.start();
  const screens = [bed.screen(['ui']), bed.screen(['ui'])];
  for (const screen of screens) await screen.waitFor(/1 session/);
  const option = (label: string) => ({ label, description: '\u001b[?1049l' });
  const question = {
    question: 'Which\u001b[2J\u001b]0;owned\u0007 \u202ecolour?',
    header: '\u001b[?1049l',
    options: [option('\u001b[5A\u009d0;owned\u009cRed'), option('Blue')],
    multiSelect: false,
  };
  const calls = JSON.stringify([['AskUserQuestion', { questions: [question] }]]).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const hostile = `please call ${calls}`;
  const sent = await bed.coi(['send', name, hostile]);
  assert.equal(sent.status, 0, sent.stderr);
  for (const screen of screens) {
    const text = await screen.waitFor('1-9 answer');
    assert.match(text, /^1 asking · 1 session\n/);
    assert.match(text, /^Which.*colour\?\n 1 {2}.*Red.*\n 2 {2}Blue/m);
    const own = /\u001b\[\?1049[hl]|\u001b\]0;owned/g;
    assert.deepEqual(screen.output().match(own), ['\u001b[?1049h']);
  }
  for (const screen of screens) screen.key('1');
  const texts = await Promise.all(
    screens.map((screen) =>
      screen.waitFor(/^(Answered coit|Error: .*already answered|.*asks nothing)/m),
    ),
  );
  assert.equal(texts.filter((text) => /^Answered coit/m.test(text)).length, 1, texts.join('\n'));
  assert.equal((await waitFor(bed, name, 'idle')).why !== undefined, true);
  for (const screen of screens) screen.key('q');
  for (const screen of screens) assert.equal((await screen.ended()).status, 0);
});
