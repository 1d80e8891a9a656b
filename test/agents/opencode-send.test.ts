// The real opencode: what coi says about it, and messages that reach it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAgentBed } from './agent-bed.ts';
import { listed, waitFor } from './attention-bed.ts';
import { opencodeOptions } from './opencode-bed.ts';

const timeout = 300_000;

test('coi says what opencode does and asks, and sends only what cannot answer a question', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed({ ...opencodeOptions, asking: true });
  const { bed } = agent;
  const name = await agent.start();
  const send = (...args: string[]) => bed.coi(['send', name, ...args]);
  const sent = async (...args: string[]) => {
    const result = await send(...args);
    assert.equal(result.status, 0, `${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  };

  // Sent to an agent that still starts.
  assert.match(await sent('hello there', '--wait'), /^I heard hello there\.$/m);
  const { attention } = await listed(bed, name);
  assert.equal(`${attention.status} ${attention.why}`, 'idle finished');

  const long = Array.from({ length: 40 }, (_, line) => `line ${line} $(id) 'x' 質問`).join('\n');
  const { cursor } = JSON.parse(await sent(long, '--json')) as { cursor: string };
  const turn = ['wait', name, '--for', 'turn-end', '--since', cursor, '--timeout', '30s'];
  assert.equal((await bed.coi(turn)).status, 0);
  const { messages } = await agent.provider.request('line 39');
  assert.ok(
    messages.some(({ text }) => text.includes(long)),
    'the text is unchanged',
  );

  await sent('please run touch danger');
  const { asks } = await waitFor(bed, name, 'asks');
  assert.deepEqual(
    asks.map(({ kind, title, body }) => [kind, title, body]),
    [['permission', 'bash', 'touch danger']],
  );
  for (const refused of [await send('do not'), await bed.coi(['tmux', 'send', name, 'do not'])]) {
    assert.equal(refused.status, 3, refused.stdout);
    assert.match(refused.stderr, /asks: bash: touch danger|is asking a question/);
  }
  assert.equal((await listed(bed, name)).attention.status, 'asks');
  // Control: Enter is all that was missing.
  assert.equal((await bed.coi(['tmux', 'send', name, '--raw', ''])).status, 0);
  assert.equal((await waitFor(bed, name, 'idle')).why, 'finished');
  assert.equal(
    (await bed.coi(['container', 'exec', name, '--', 'ls', '/workspace/danger'])).status,
    0,
  );

  await sent('please take 60000 ms');
  assert.equal((await listed(bed, name)).attention.status, 'working');
  assert.match(await sent('hello again', '--interrupt', '--wait'), /^I heard hello again\.$/m);

  const kill = ['container', 'exec', name, '--', 'pkill', '-9', '-x', 'opencode'];
  assert.equal((await bed.coi(kill)).status, 0);
  assert.equal((await bed.coi(['wait', name, '--for', 'exit', '--timeout', '20s'])).status, 0);
  const late = await send('touch /tmp/typed');
  assert.equal(late.status, 1, late.stderr);
  assert.match(late.stderr, /the agent in .* has exited/);
});
