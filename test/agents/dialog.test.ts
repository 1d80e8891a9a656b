// Claude Code asks before it acts: text that scripts type meanwhile approves nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyInstance } from '../terminal/session.ts';
import { askingClaude, makeAgentBed } from './agent-bed.ts';
import { dismiss } from './attention-bed.ts';

const asks = /Do you want to proceed\?[\s\S]*1\. Yes/;

test('coi tmux send refuses to type into a permission dialog; --key and --raw answer it', {
  timeout: 240_000,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed, provider } = agent;
  const screen = await agent.open();
  const { name } = await onlyInstance(bed);
  const send = (...args: string[]) => bed.coi(['tmux', 'send', name, ...args]);
  const isThere = async (path: string) =>
    (await bed.coi(['container', 'exec', name, '--', 'test', '-e', path])).status === 0;
  const sent = async (...args: string[]) => {
    const result = await send(...args);
    assert.equal(result.status, 0, result.stderr);
  };

  await sent('please run touch /tmp/one');
  await screen.waitFor(asks, 60_000);
  for (const text of ['please wait, do not do that', '', '9', 'two\nlines']) {
    const refused = await send(text);
    assert.equal(refused.status, 3, text);
    assert.match(refused.stderr, /is asking a question/);
  }
  assert.match((await bed.coi(['tmux', 'capture', name])).stdout, asks);
  await dismiss(bed, name);
  await sent('hello again');
  await provider.request('hello again');
  assert.equal(await isThere('/tmp/one'), false);

  // Without the check, Enter selects the highlighted choice.
  await sent('please run touch /tmp/two');
  await screen.waitFor(/touch \/tmp\/two[\s\S]*Do you want to proceed\?[\s\S]*1\. Yes/, 60_000);
  // Claude Code ignores keys for a moment after a dialog has opened.
  const made = ['timeout', '2', 'sh', '-c', 'until [ -e /tmp/two ]; do sleep 0.1; done'];
  while (!(await isThere('/tmp/two'))) {
    await sent('--raw', 'please wait');
    await bed.coi(['container', 'exec', name, '--', ...made]);
  }
  assert.equal(await isThere('/tmp/two'), true);
});
