// The two ways to answer Claude Code: what its hook prints, and what a dialog must look like for a key to be pressed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asksOf } from '../claude/asks.ts';
import type { PendingCall } from '../claude/transcript.ts';
import type { Answer } from './choice.ts';
import { hookOf, hookOutput, parseWaitingHook, type WaitingHook } from './claude-hook.ts';
import { type ScreenChoice, screenChoice } from './claude-screen.ts';

const questions = [
  { question: 'Which colour?', header: 'Colour', options: [{ label: 'Red' }, { label: 'Blue' }] },
];
const call: PendingCall = { id: 'toolu_1', name: 'AskUserQuestion', input: { questions } };

function waiting(tool: string, input: object, name = '1-2', conversation = 'c'): WaitingHook {
  const text = {
    hook_event_name: 'PermissionRequest',
    session_id: conversation,
    tool_name: tool,
    tool_input: input,
  };
  const hook = parseWaitingHook(name, JSON.stringify(text));
  assert.ok(hook);
  return hook;
}

describe('the hook that waits for an answer', () => {
  // Claude Code adds defaults and leaves out what it does not know.
  const same = { questions: questions.map((one) => ({ ...one, multiSelect: false })) };
  const hook = waiting('AskUserQuestion', same);

  it('is found by what it asks', () => {
    assert.equal(hookOf([hook], 'c', call), hook);
    const more = [waiting('ExitPlanMode', {}), hook, waiting('AskUserQuestion', {})];
    assert.equal(hookOf(more, 'c', call), hook);
  });

  it('is not taken for that of another question, conversation or tool, nor guessed', () => {
    const other = { questions: [{ question: 'Which size?', options: questions[0]?.options }] };
    const labels = { questions: [{ ...questions[0], options: [{ label: 'Red' }] }] };
    for (const wrong of [
      waiting('AskUserQuestion', other),
      waiting('AskUserQuestion', labels),
      waiting('AskUserQuestion', same, '1-2', 'd'),
      waiting('ExitPlanMode', same),
    ])
      assert.equal(hookOf([wrong], 'c', call), undefined);
    assert.equal(hookOf([hook, waiting('AskUserQuestion', same, '3-4')], 'c', call), undefined);
  });

  it('the plan is part of what is asked, if the hook has one', () => {
    const plan: PendingCall = { id: 'toolu_2', name: 'ExitPlanMode', input: { plan: 'one' } };
    assert.ok(hookOf([waiting('ExitPlanMode', { plan: 'one' })], 'c', plan));
    assert.ok(hookOf([waiting('ExitPlanMode', {})], 'c', plan));
    assert.equal(hookOf([waiting('ExitPlanMode', { plan: 'two' })], 'c', plan), undefined);
  });

  it('what a container writes never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const parsed = parseWaitingHook('1-1', text);
        if (parsed) hookOf([parsed], 'c', call);
      }),
    );
    fc.assert(
      fc.property(fc.jsonValue(), (input) => {
        const odd = waiting('AskUserQuestion', { questions: input });
        hookOf([odd], 'c', call);
        hookOutput(odd, { kind: 'answers', answers: [{ options: ['1'] }] });
      }),
    );
  });

  it('prints the labels of the agent and the text of the user', () => {
    const decision = (answer: Answer, of = hook) => {
      const output = JSON.parse(hookOutput(of, answer) ?? 'null') as {
        hookSpecificOutput: { decision: { updatedInput?: { answers: unknown } } };
      };
      return output.hookSpecificOutput.decision;
    };
    const answers = (answer: Answer) => decision(answer).updatedInput?.answers;
    assert.deepEqual(answers({ kind: 'answers', answers: [{ options: ['1', '2'] }] }), {
      'Which colour?': 'Red, Blue',
    });
    assert.deepEqual(answers({ kind: 'answers', answers: [{ options: [], text: 'x "y"' }] }), {
      'Which colour?': 'x "y"',
    });
    const plan = waiting('ExitPlanMode', { plan: 'one' });
    assert.deepEqual(decision({ kind: 'decision', option: 'yes' }, plan), {
      behavior: 'allow',
      updatedInput: { plan: 'one' },
    });
    assert.deepEqual(decision({ kind: 'decision', option: 'no', text: 'why' }, plan), {
      behavior: 'deny',
      message: 'why',
    });
  });

  it('gives no answer that does not fit the questions', () => {
    const twice = waiting('AskUserQuestion', { questions: [...questions, ...questions] });
    const both = [{ options: ['1'] }, { options: ['1'] }];
    assert.equal(hookOutput(twice, { kind: 'answers', answers: both }), undefined);
    assert.equal(hookOutput(hook, { kind: 'answers', answers: both }), undefined);
    assert.equal(hookOutput(hook, { kind: 'answers', answers: [{ options: ['7'] }] }), undefined);
  });
});

describe('the dialog in which a key is pressed', () => {
  const bash = (command: string): PendingCall => ({ id: 'a', name: 'Bash', input: { command } });
  const allow: Answer = { kind: 'decision', option: 'allow' };
  const choice = (of: PendingCall, answer: Answer) => {
    const [ask] = asksOf(of);
    assert.ok(ask);
    return screenChoice(ask, of, answer);
  };
  const shows = ({ lines }: ScreenChoice, screen: string) =>
    lines.every((line) => new RegExp(line, 'm').test(screen));

  it('shows the command at the begin of a line', () => {
    const found = choice(bash('touch /tmp/a'), allow);
    assert.ok(found);
    assert.ok(shows(found, '\n touch /tmp/a   \n'));
    for (const other of [
      '● Bash(touch /tmp/a)\n touch /tmp/b',
      ' touch /tmp/a b',
      ' touch /tmp/ab',
    ])
      assert.equal(shows(found, other), false, other);
  });

  it('shows the file or the question', () => {
    const write = choice({ id: 'a', name: 'Write', input: { file_path: '/w/a+b.txt' } }, allow);
    assert.ok(write && shows(write, ' Do you want to create a+b.txt?'));
    assert.equal(shows(write, ' Do you want to create b.txt?'), false);
    const colour = choice(call, { kind: 'answers', answers: [{ options: ['2'] }] });
    assert.equal(colour?.option, 'Blue *$');
    assert.ok(shows(colour, 'Which colour?'));
  });

  it('is not searched for what a key cannot answer', () => {
    assert.equal(choice(bash(''), allow), undefined);
    assert.equal(choice({ id: 'a', name: 'mcp__x', input: { q: 1 } }, allow), undefined);
    const text: Answer = { kind: 'answers', answers: [{ options: [], text: 'green' }] };
    assert.equal(choice(call, text), undefined);
    const reason: Answer = { kind: 'decision', option: 'deny', text: 'why' };
    assert.equal(choice(bash('ls'), reason), undefined);
    const several = { questions: [{ ...questions[0], multiSelect: true }] };
    const one: Answer = { kind: 'answers', answers: [{ options: ['1'] }] };
    assert.equal(choice({ ...call, input: several }, one), undefined);
  });

  it('a pattern never has a character with a meaning to tmux, sh or sed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (command) => {
        const found = choice(bash(command), allow);
        for (const line of found?.lines ?? [])
          assert.match(line, /^\^ [A-Za-z0-9 _/=:@.*-]*\$?$/, line);
      }),
    );
  });

  it('grep finds what it has been made of', () => {
    const commands = [
      'npm run "x" && echo $HOME',
      'echo 質問 | tee a',
      `x${'y'.repeat(200)}`,
      '[a]',
    ];
    for (const command of commands) {
      const lines: readonly string[] = choice(bash(command), allow)?.lines ?? [];
      const found = spawnSync('grep', ['-cE', lines[0] ?? ''], {
        input: ` ${command}\n`,
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
      });
      assert.equal(found.stdout.trim(), '1', command);
    }
  });
});
