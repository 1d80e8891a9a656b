// What the hook of Claude Code prints, and for which question.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PendingCall } from '../claude/transcript.ts';
import type { Answer } from './choice.ts';
import { hookOf, hookOutput, parseWaitingHook, type WaitingHook } from './claude-hook.ts';

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
    const notes = questions[0]?.options.map((one) => ({ ...one, description: 'DROP' }));
    const noted = { questions: [{ ...questions[0], options: notes }] };
    for (const wrong of [
      waiting('AskUserQuestion', other),
      waiting('AskUserQuestion', labels),
      waiting('AskUserQuestion', noted),
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
