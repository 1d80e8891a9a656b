// coi send, wait and list for an agent that coi does not know.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listed } from '../agents/attention-bed.ts';
import { makeBed } from '../bed/bed.ts';
import { homeFile } from './conversation.ts';

const timeout = 120_000;

test('a message to an unknown agent is typed and never confirmed, and not typed into the shell after its end', {
  timeout,
}, async () => {
  await using bed = await makeBed({ env: { COI_USE_DUMMY: '0' } });
  homeFile(
    bed,
    '.coi/config.toml',
    `[tool]
name = "mine"
[tools.mine]
command = ["sh", "-c", "while read -r line && [ \\"$line\\" != end ]; do echo \\"heard $line\\"; done"]
`,
  );
  const started = await bed.coi(['shell', '--background', '--json', '--image', bed.image]);
  assert.equal(started.status, 0, started.stderr);
  const { container: name } = JSON.parse(started.stdout) as { container: string };
  const send = (...args: string[]) => bed.coi(['send', name, ...args]);
  const untilShown = async (text: string) => {
    const script = `until tmux capture-pane -p -t =coi-${name}: | grep -q '${text}'; do sleep 0.1; done`;
    const environment = { HOME: '/home/code' };
    await bed.incus.execCaptured(name, { command: ['sh', '-c', script], user: 1000, environment });
  };

  const typed = await send('a heron');
  assert.equal(typed.status, 4, typed.stderr);
  assert.match(typed.stderr, /has not confirmed it/);
  await untilShown('heard a heron');
  assert.equal((await listed(bed, name)).attention.status, 'unknown');
  for (const refused of [await send('an owl', '--wait'), await send('an owl', '--interrupt')]) {
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /cannot tell what the agent/);
  }
  const waited = await bed.coi(['wait', name, '--for', 'idle', '--timeout', '20s']);
  assert.equal(waited.status, 1);

  assert.equal((await send('end')).status, 4);
  await untilShown('has ended');
  const late = await send('touch /tmp/typed');
  assert.equal(late.status, 1, late.stderr);
  assert.match(late.stderr, /nothing was sent: no agent in .* has a terminal/);
  // Control: this is what the shell does with text.
  assert.equal((await bed.coi(['tmux', 'send', name, 'touch /tmp/by-hand'])).status, 0);
  const both = ['sh', '-c', 'until [ -e /tmp/by-hand ]; do sleep 0.1; done; test ! -e /tmp/typed'];
  assert.equal((await bed.coi(['container', 'exec', name, '--', ...both])).status, 0);
});

test('a paused session gets no message, and a stopped one says so', { timeout }, async () => {
  await using bed = await makeBed();
  const args = ['shell', '--background', '--persistent', '--image', bed.image];
  assert.equal((await bed.coi(args)).status, 0);
  const [name = ''] = await bed.instances();
  await (await bed.incus.changeState(name, { action: 'freeze', timeout: 30 })).wait();
  const paused = await bed.coi(['send', name, 'hello']);
  assert.equal(paused.status, 1);
  assert.match(paused.stderr, /is paused/);
  const { attention } = await listed(bed, name);
  assert.deepEqual([attention.status, attention.by], ['paused', 'user']);
  assert.equal((await bed.coi(['unfreeze', name])).status, 0);
  assert.equal((await bed.coi(['container', 'stop', name])).status, 0);
  assert.equal((await listed(bed, name)).attention.status, 'stopped');
  const stopped = await bed.coi(['wait', name, '--for', 'exit', '--timeout', '5s']);
  assert.equal(stopped.status, 0, stopped.stderr);
});
