// The real opencode and its questions, answered from the host through coi's plugin.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAgentBed } from './agent-bed.ts';
import { waitFor } from './attention-bed.ts';
import { opencodeOptions } from './opencode-bed.ts';

test('questions and permissions of opencode are answered by their ids', {
  timeout: 300_000,
}, async () => {
  await using agent = await makeAgentBed({ ...opencodeOptions, asking: true });
  const { bed } = agent;
  const name = await agent.start();
  const ask = async (words: string) => {
    const sent = await bed.coi(['send', name, words]);
    assert.equal(sent.status, 0, sent.stderr);
    await waitFor(bed, name, 'asks');
    const shown = await bed.coi(['answer', name, '--json']);
    const { asks } = JSON.parse(shown.stdout) as { asks: { id: string }[] };
    return asks.map(({ id }) => id);
  };
  const answer = (id: string | undefined, ...words: string[]) =>
    bed.coi(['answer', name, '--ask', id ?? '', ...words]);
  const answered = async (id: string | undefined, ...words: string[]) => {
    const result = await answer(id, ...words);
    assert.equal(result.status, 0, `${words.join()}: ${result.stderr}`);
    await waitFor(bed, name, 'idle');
  };
  /** What the model was told as the result of its last call. */
  const shows = async (pattern: RegExp) =>
    assert.match((await bed.coi(['tmux', 'capture', name])).stdout, pattern);

  const [questions] = await ask('please ask me twice');
  await answered(questions, 'blue', '1,Large');
  await shows(/Blue[\s\S]*Small, Large/);
  const [own] = await ask('please ask me');
  await answered(own, '--text', 'green');
  await shows(/green/);

  const [refused] = await ask('please run touch /workspace/refused');
  const twice = await Promise.all([answer(refused, 'no'), answer(refused, 'yes')]);
  assert.deepEqual(twice.map(({ status }) => status).sort(), [0, 1]);
  await waitFor(bed, name, 'idle');
  const [allowed] = await ask('please run touch /workspace/allowed');
  const stale = await answer(refused, 'yes');
  assert.equal(stale.status, 1);
  assert.match(stale.stderr, /no longer open/);
  await answered(allowed, 'yes');
  const files = await bed.coi(['container', 'exec', name, '--', 'ls', '/workspace']);
  assert.match(files.stdout, /^allowed$/m);
});
