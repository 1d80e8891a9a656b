// Claude Code asks before it acts: text that scripts type meanwhile approves nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyInstance } from '../terminal/session.ts';
import { askingClaude, makeAgentBed } from './agent-bed.ts';
import { waitFor } from './attention-bed.ts';

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
  await sent('--key', 'Escape');
  // The dialog is open until Claude Code has read the key.
  await waitFor(bed, name, 'idle');
  await sent('hello again');
  await provider.request('hello again');
  assert.equal(await isThere('/tmp/one'), false);

  // Without the check, Enter selects the highlighted choice.
  await sent('please run touch /tmp/two');
  await screen.waitFor(/touch \/tmp\/two[\s\S]*Do you want to proceed\?[\s\S]*1\. Yes/, 60_000);
  await sent('--raw', 'please wait');
  const made = ['timeout', '30', 'sh', '-c', 'until [ -e /tmp/two ]; do sleep 0.1; done'];
  assert.equal((await bed.coi(['container', 'exec', name, '--', ...made])).status, 0);
});
