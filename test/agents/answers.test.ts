// The real Claude Code and its questions, answered from the host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bed } from '../bed/bed.ts';
import { type AgentBed, askingClaude, makeAgentBed } from './agent-bed.ts';
import { dismiss, listed, waitFor } from './attention-bed.ts';

const timeout = 300_000;

/** A session and its questions. */
class Asking {
  readonly bed: Bed;
  readonly name: string;

  constructor(bed: Bed, name: string) {
    this.bed = bed;
    this.name = name;
  }

  /** Sends words that make the agent ask, and returns the ids of its questions. */
  async ask(words: string): Promise<readonly string[]> {
    const sent = await this.bed.coi(['send', this.name, words]);
    assert.equal(sent.status, 0, sent.stderr);
    await waitFor(this.bed, this.name, 'asks');
    return this.ids();
  }

  async ids(): Promise<readonly string[]> {
    const shown = await this.bed.coi(['answer', this.name, '--json']);
    assert.equal(shown.status, 0, shown.stderr);
    return (JSON.parse(shown.stdout) as { asks: { id: string }[] }).asks.map(({ id }) => id);
  }

  answer(id: string | undefined, words: readonly string[], options: { input?: string } = {}) {
    return this.bed.coi(['answer', this.name, '--ask', id ?? '', ...words], options);
  }

  async answered(
    id: string | undefined,
    words: readonly string[],
    options: { input?: string } = {},
  ) {
    const result = await this.answer(id, words, options);
    assert.equal(result.status, 0, `${words.join()}: ${result.stderr}`);
    return waitFor(this.bed, this.name, 'idle');
  }

  async shows(pattern: RegExp): Promise<void> {
    const { stdout } = await this.bed.coi(['tmux', 'capture', this.name]);
    assert.match(stdout, pattern);
  }

  async inside(script: string): Promise<string> {
    const argv = ['container', 'exec', this.name, '--', 'bash', '-c', script];
    return (await this.bed.coi(argv)).stdout;
  }
}

async function asking(agent: AgentBed): Promise<Asking> {
  return new Asking(agent.bed, await agent.start());
}

const waitingHooks = 'ls ~/.claude/coi-status/asks 2>/dev/null | grep -c json';

test('questions and plans of Claude Code are answered through its hook, permissions in the dialog', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const one = await asking(agent);

  const [colour] = await one.ask('please ask me');
  const wrong = await one.answer(colour, ['Green']);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /Choose one of: 1 \(Red\), 2 \(Blue\)/);
  await one.answered(colour, ['Blue']);
  await one.shows(/Which colour.*→ Blue[\s\S]*Allowed by PermissionRequest hook/);
  const late = await one.answer(colour, ['Red']);
  assert.equal(late.status, 1);
  assert.match(late.stderr, /asks nothing/);

  const [both, ...more] = await one.ask('please ask me twice');
  assert.deepEqual(more, [`${both}:2`]);
  await one.answered(both, ['2', 'Small,Large']);
  await one.shows(/Which sizes.*→ Small, Large/);

  const [text] = await one.ask('please ask me');
  await one.answered(text, ['--text', '-'], { input: 'green, but "$(id)" #{x}\n' });
  await one.shows(/→ green, but "\$\(id\)" #\{x\}/);

  for (let mode = ''; !/plan mode on/.test(mode); ) {
    assert.equal((await agent.bed.coi(['tmux', 'send', one.name, '--key', 'BTab'])).status, 0);
    ({ stdout: mode } = await agent.bed.coi(['tmux', 'capture', one.name]));
  }
  const [refused] = await one.ask('please plan');
  const { asks } = (await listed(agent.bed, one.name)).attention;
  assert.deepEqual(
    asks.map(({ kind, body }) => [kind, body]),
    [['plan', '1. Measure.\n2. Cut.']],
  );
  await one.answered(refused, ['no', '--text', 'three steps']);
  await one.shows(/Error: three steps/);
  const [plan] = await one.ask('please plan');
  await one.answered(plan, ['yes']);
  await one.shows(/Exited plan mode/);
  for (let mode = ''; !/manual mode on|for shortcuts/.test(mode); ) {
    assert.equal((await agent.bed.coi(['tmux', 'send', one.name, '--key', 'BTab'])).status, 0);
    ({ stdout: mode } = await agent.bed.coi(['tmux', 'capture', one.name]));
  }

  const [first, second] = await one.ask('please do both touch /tmp/first and touch /tmp/second');
  const hidden = await one.answer(second, ['yes']);
  assert.equal(hidden.status, 1);
  assert.match(hidden.stderr, /nothing was typed: the screen .* does not show this question/);
  // Two at once: the second must not reach the dialog that follows.
  const twice = await Promise.all([one.answer(first, ['yes']), one.answer(first, ['yes'])]);
  assert.deepEqual(
    twice.map(({ status }) => status).sort(),
    [0, 1],
    twice.map(({ stderr }) => stderr).join(),
  );
  assert.deepEqual(await one.ids(), [second]);
  await one.answered(second, ['no']);
  assert.equal((await one.inside('cd /tmp; echo first* second*')).trim(), 'first second*');
});

test('on a terminal, coi answer shows the question first, and answers that one', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  const one = await asking(agent);
  await one.ask('please ask me');
  const refused = bed.screen(['answer', one.name, 'Red']);
  await refused.waitFor(/Which colour[\s\S]*Give this answer\? \[y\/N\]/);
  refused.type('n\r');
  await refused.waitFor(/there was no answer; the question is still open/);
  const empty = bed.screen(['answer', one.name]);
  await empty.waitFor(/1 +Red[\s\S]*Answer:/);
  empty.type('\r');
  await empty.waitFor(/the question is still open/);
  assert.equal((await listed(bed, one.name)).attention.status, 'asks');
  const screen = bed.screen(['answer', one.name]);
  await screen.waitFor(/Answer:/);
  screen.type('something of my own\r');
  await screen.waitFor(/Answered /);
  await waitFor(bed, one.name, 'idle');
  await one.shows(/→ something of my own/);
});

test('an answer never reaches another question, and none is given to a session that is paused', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  const one = await asking(agent);
  const [stale] = await one.ask('please run touch /tmp/one');
  // Without a terminal to confirm it, an answer must name its question.
  const unnamed = await bed.coi(['answer', one.name, 'yes']);
  assert.equal(unnamed.status, 2);
  assert.match(unnamed.stderr, /--ask/);
  await dismiss(bed, one.name);
  const [open] = await one.ask('please run touch /tmp/two');
  const changed = await one.answer(stale, ['yes']);
  assert.equal(changed.status, 1);
  assert.match(changed.stderr, /no longer open/);
  assert.equal((await listed(bed, one.name)).attention.status, 'asks');

  await (await bed.incus.changeState(one.name, { action: 'freeze', timeout: 30 })).wait();
  const paused = await one.answer(open, ['yes']);
  assert.equal(paused.status, 1);
  assert.match(paused.stderr, /is paused/);
  assert.equal((await bed.coi(['unfreeze', one.name])).status, 0);
  await one.answered(open, ['yes']);
  assert.equal((await one.inside('cd /tmp; echo one* two*')).trim(), 'one* two');
});

test('a key is not pressed in a dialog that only looks like that of the question', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const one = await asking(agent);
  for (const [shown, wanted] of [
    [{ command: 'touch evil', description: 'touch good' }, { command: 'touch good' }],
    [{ command: 'touch evil' }, { command: 'é' }],
    [{ command: 'touch good;touch evil' }, { command: 'touch good&touch evil' }],
  ]) {
    const calls = [shown, wanted].map((input) => ['Bash', input]);
    const [, second] = await one.ask(`please call ${JSON.stringify(calls)}`);
    const refused = await one.answer(second, ['yes']);
    assert.equal(refused.status, 1, JSON.stringify(wanted));
    assert.match(refused.stderr, /does not show this question/);
    await dismiss(agent.bed, one.name);
  }
  const write = (path: string, content: string) => ['Write', { file_path: path, content }];
  const files = [write('/workspace/x/a.ts', 'evil'), write('/workspace/y/a.ts', 'good')];
  const [first, second] = await one.ask(`please call ${JSON.stringify(files)}`);
  assert.match((await one.answer(second, ['yes'])).stderr, /does not show this question/);
  // Control: the one that is shown.
  assert.equal((await one.answer(first, ['yes'])).status, 0);
  await one.answered(second, ['no']);
  assert.equal(
    await one.inside('cd /workspace; echo evil* good* x/* y/*'),
    'evil* good* x/a.ts y/*\n',
  );
});

test('no hook is left over, however its dialog ends', { timeout }, async () => {
  await using agent = await makeAgentBed(askingClaude);
  const { bed } = agent;
  const one = await asking(agent);
  const untilNone = async () => {
    for (let count = ''; count !== '0'; count = (await one.inside(waitingHooks)).trim());
  };
  await one.ask('please ask me');
  await dismiss(bed, one.name);
  await untilNone();
  const [open] = await one.ask('please ask me');
  // Answered at the terminal: Claude Code does not end the hook then.
  for (let status: number | null = 124; status === 124; ) {
    await bed.coi(['tmux', 'send', one.name, '1']);
    ({ status } = await bed.coi(['wait', one.name, '--for', 'idle', '--timeout', '2s']));
  }
  const late = await one.answer(open, ['Blue']);
  assert.match(late.stderr, /asks nothing/);
  await untilNone();
  await one.ask('please ask me');
  await one.inside('pkill -9 -x claude');
  await waitFor(bed, one.name, 'exit');
  await untilNone();
});

const decides = {
  hooks: {
    PermissionRequest: [
      {
        matcher: 'ExitPlanMode|AskUserQuestion',
        hooks: [
          {
            type: 'command',
            command:
              'cat >/dev/null; echo \'{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"deny","message":"not by my hook"}}}\'',
          },
        ],
      },
    ],
  },
};

test('a hook of the user decides at once, as without coi', { timeout }, async () => {
  await using agent = await makeAgentBed({
    ...askingClaude,
    files: () => ({
      '.claude/settings.json': JSON.stringify({
        permissions: { defaultMode: 'default' },
        ...decides,
      }),
    }),
  });
  const one = await asking(agent);
  const sent = await agent.bed.coi([
    'send',
    one.name,
    'please ask me',
    '--wait',
    '--timeout',
    '20s',
  ]);
  assert.equal(sent.status, 0, sent.stderr);
  await one.shows(/not by my hook/);
});

test('with disableAllHooks, questions with one choice are answered in the dialog', {
  timeout,
}, async () => {
  await using agent = await makeAgentBed({
    ...askingClaude,
    files: () => ({
      '.claude/settings.json': JSON.stringify({
        permissions: { defaultMode: 'default' },
        disableAllHooks: true,
      }),
    }),
  });
  const one = await asking(agent);
  const [colour] = await one.ask('please ask me');
  await one.answered(colour, ['Blue']);
  await one.shows(/→ Blue/);
  const [several] = await one.ask('please ask me twice');
  const refused = await one.answer(several, ['1', '1']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /cannot answer this .*\nHint: Run `coi attach/);
});
