// The real Claude Code: what coi says about it, and messages that reach it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { askingClaude, claudeOptions, makeAgentBed } from './agent-bed.ts';
import { type Attention, dismiss, listed, type Trace, traceOf, waitFor } from './attention-bed.ts';

const timeout = 300_000;
/** With this variable the traces of src/attention/traces are written anew, for a new version of Claude Code. */
const recordTo = process.env['COI_RECORD_TRACES']
  ? fileURLToPath(new URL('../../src/attention/traces/claude.json', import.meta.url))
  : undefined;

test('coi says what Claude Code does and asks, and sends only what cannot answer a question', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  const name = await agent.start();
  const { session_id: id } = await listed(bed, name);
  const traces: { step: string; trace: Trace; activity: Attention }[] = [];
  const send = (...args: string[]) => bed.coi(['send', name, ...args]);
  /** Asserts the state and records how Claude Code shows it. */
  const shows = async (step: string, goal: string) => {
    const activity = await waitFor(bed, name, goal);
    const { attention } = await listed(bed, name);
    assert.equal(attention.status, activity.status, step);
    // What the files say, without what the user has looked at.
    const { unseen: _, ...said } = attention;
    traces.push({ step, trace: traceOf(bed, id), activity: said });
    return attention;
  };
  const sent = async (...args: string[]) => {
    const result = await send(...args);
    assert.equal(result.status, 0, `${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  };
  const isThere = async (path: string) =>
    (await bed.coi(['container', 'exec', name, '--', 'test', '-e', path])).status === 0;

  // Sent to an agent that still starts.
  assert.match(await sent('hello there', '--wait'), /^I heard hello there\.$/m);
  assert.equal((await shows('the turn has ended', 'idle')).why, 'finished');

  await sent('please run touch /tmp/danger');
  const { asks } = await shows('a permission', 'asks');
  assert.deepEqual(
    asks.map(({ kind, title, body }) => ({ kind, title, body })),
    [{ kind: 'permission', title: 'Bash', body: 'touch /tmp/danger' }],
  );
  for (const refused of [
    await send('please wait, do not do that'),
    await send('1'),
    await bed.coi(['tmux', 'send', name, 'please wait, do not do that']),
    await bed.coi(['tmux', 'send', name, '9']),
  ]) {
    assert.equal(refused.status, 3, refused.stdout);
    assert.match(refused.stderr, /asks: Bash: touch \/tmp\/danger|is asking a question/);
  }
  assert.equal((await listed(bed, name)).attention.status, 'asks');
  // "No", the last option that the dialog shows.
  assert.equal((await bed.coi(['tmux', 'send', name, '4'])).status, 0);
  assert.equal((await shows('a refused permission', 'idle')).why, 'interrupted');
  assert.equal(await isThere('/tmp/danger'), false);

  await sent('please ask me');
  const [question] = (await shows('a question', 'asks')).asks;
  assert.equal(question?.kind, 'question');
  assert.match(question?.title ?? '', /^Which colour/);
  assert.deepEqual(
    question?.options.map(({ label }) => label),
    ['Red', 'Blue'],
  );
  await dismiss(bed, name);
  await shows('a dismissed question', 'idle');

  const cycleTo = async (mode: RegExp) => {
    while (!mode.test((await bed.coi(['tmux', 'capture', name])).stdout))
      assert.equal((await bed.coi(['tmux', 'send', name, '--key', 'BTab'])).status, 0);
  };
  await cycleTo(/plan mode on/);
  await sent('please plan');
  assert.deepEqual(
    (await shows('a plan', 'asks')).asks.map(({ kind, body }) => [kind, body]),
    [['plan', '1. Measure.\n2. Cut.']],
  );
  await dismiss(bed, name);
  await cycleTo(/manual mode on|for shortcuts/);

  await sent('please do both touch /tmp/one and touch /tmp/two');
  assert.deepEqual(
    (await shows('two permissions', 'asks')).asks.map(({ body }) => body),
    ['touch /tmp/one', 'touch /tmp/two'],
  );
  await dismiss(bed, name);

  await sent('please delegate touch /tmp/three');
  const [delegated] = (await shows('a permission of a sub-agent', 'asks')).asks;
  assert.deepEqual([delegated?.body, delegated?.sub_agent], ['touch /tmp/three', true]);
  await dismiss(bed, name);

  await sent('please take 60000 ms');
  assert.equal((await listed(bed, name)).attention.status, 'working');
  assert.match(await sent('next in line'), /^Queued /);
  assert.match(await sent('now this', '--interrupt', '--wait'), /^I heard .*now this\.$/m);
  await shows('an interrupted turn', 'idle');

  const { stdout } = await send('please ask me', '--json');
  const { cursor } = JSON.parse(stdout) as { cursor: string };
  const since = (text: string) => bed.coi(['wait', name, '--since', text, '--timeout', '20s']);
  assert.match((await since(cursor)).stdout, /: asks: Which colour/);
  await dismiss(bed, name);
  assert.match((await since(cursor)).stdout, /: idle \(interrupted\)/);
  assert.match((await since('another:1')).stderr, /has no conversation another/);

  const failed = await send('please fail', '--wait');
  assert.equal(failed.status, 1);
  assert.match(failed.stderr, /the turn of the agent in .* failed/);
  assert.equal((await shows('a failed turn', 'idle')).why, 'failed');
  if (recordTo) writeFileSync(recordTo, `${JSON.stringify(traces, null, 1)}\n`);
});

test('a question of an agent that is killed is never shown again, not after a resume or a fork', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  const name = await agent.start();
  const { session_id: id } = await listed(bed, name);
  assert.equal((await bed.coi(['send', name, 'please run touch /tmp/x'])).status, 0);
  await waitFor(bed, name, 'asks');
  const kill = ['container', 'exec', name, '--', 'pkill', '-9', '-x', 'claude'];
  assert.equal((await bed.coi(kill)).status, 0);
  await waitFor(bed, name, 'exit');
  assert.equal((await listed(bed, name)).attention.status, 'exited');
  // Its file is still there.
  assert.equal((traceOf(bed, id).registry as { status: string }).status, 'waiting');
  const refused = await bed.coi(['send', name, 'touch /tmp/typed']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /the agent in .* has exited/);

  const forked = await bed.coi(['fork', name, '--background', '--json']);
  assert.equal(forked.status, 0, forked.stderr);
  assert.equal((await bed.coi(['kill', name])).status, 0);
  const resumed = await agent.start([`--resume=${id}`]);
  const names = [resumed, (JSON.parse(forked.stdout) as { container: string }).container];
  const begin = Date.now();
  while (Date.now() - begin < 4000)
    for (const one of names)
      assert.notEqual((await listed(bed, one)).attention.status, 'asks', one);
  for (const one of names) await waitFor(bed, one, 'idle');
});

/** Enter would not submit these: a backslash makes it a new line, and `@` opens a list of files. */
const onlyBound = ['ends with \\', '@'];
const texts = [
  'word',
  Array.from({ length: 400 }, (_, line) => `line ${line} ${'x'.repeat(40)}`).join('\n'),
  '#x',
  '日本語 ＡＢ ñ 👩‍👩‍👧',
  "'$(id)' `id` $HOME",
  '- a;b',
];

for (const bound of [true, false])
  test(`each message arrives once and unchanged${bound ? '' : ', also if only Enter submits it'}`, {
    timeout,
  }, async () => {
    // Key bindings that are no JSON stay as they are: then Enter submits.
    const files = { '.claude/keybindings.json': '// mine' };
    await using agent = await makeAgentBed({
      ...claudeOptions,
      ...(!bound && { files: () => files }),
    });
    const { bed, provider } = agent;
    const name = await agent.start();
    const sentTexts = bound ? [...texts, ...onlyBound] : texts;
    for (const [index, text] of sentTexts.entries()) {
      const numbered = `${index}: ${text}`;
      const sent = await bed.coi(['send', name, '-', '--wait', '--json'], { input: numbered });
      assert.equal(sent.status, 0, sent.stderr);
      assert.equal((JSON.parse(sent.stdout) as { end: string }).end, 'finished');
      const idle = await bed.coi(['wait', name, '--for', 'idle', '--timeout', '2s']);
      assert.equal(idle.status, 0, idle.stderr);
    }
    const marked = await bed.coi(['send', name, 'to the \u202eleft\u200e', '--wait']);
    assert.equal(marked.status, 0, marked.stderr);
    assert.match(marked.stderr, /2 control or invisible characters were left out/);
    const heard = provider.requests.findLast(({ hasTools }) => hasTools)?.messages ?? [];
    const plain = (text: string) => text.replace(/<\/?pasted_content[^>]*>/g, '').trim();
    for (const [index, text] of sentTexts.entries()) {
      const same = heard.filter(
        ({ role, text: said }) => role === 'user' && plain(said) === `${index}: ${text}`,
      );
      assert.equal(same.length, 1, text.slice(0, 40));
    }
  });
