// Whether a choice fits the questions that are open, and the answer that it stands for.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoiError } from '../../errors.ts';
import type { Ask } from '../activity.ts';
import { type Answer, answerOf, asksToAnswer } from './choice.ts';

const option = (id: string, label = id) => ({ id, label });
const permission: Ask = {
  id: 'call-1',
  kind: 'permission',
  title: 'Bash',
  options: [option('allow', 'Yes'), option('deny', 'No')],
};
const colour: Ask = {
  id: 'call-2',
  kind: 'question',
  title: 'Which colour?',
  options: [option('1', 'Red'), option('2', 'Blue')],
};
const sizes: Ask = {
  id: 'call-2:2',
  kind: 'question',
  title: 'Which sizes?',
  multiple: true,
  options: [option('1', 'Small'), option('2', 'Large, wide'), option('3', 'large')],
};

function answer(asks: readonly Ask[], words: readonly string[], text?: string): Answer {
  return answerOf(asks, { words, text });
}

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof CoiError) return error.code;
    throw error;
  }
  return 'none';
}

describe('the answer to a permission', () => {
  it('yes and no mean what the agent calls them', () => {
    assert.deepEqual(answer([permission], ['yes']), { kind: 'decision', option: 'allow' });
    assert.deepEqual(answer([permission], ['Y']), { kind: 'decision', option: 'allow' });
    assert.deepEqual(answer([permission], ['no']), { kind: 'decision', option: 'deny' });
    const own = { ...permission, options: ['once', 'always', 'reject'].map((id) => option(id)) };
    assert.deepEqual(answer([own], ['yes']), { kind: 'decision', option: 'once' });
    assert.deepEqual(answer([own], ['always']), { kind: 'decision', option: 'always' });
    assert.deepEqual(answer([own], ['no'], 'why'), {
      kind: 'decision',
      option: 'reject',
      text: 'why',
    });
  });

  it('anything else is refused, also a text with a yes', () => {
    for (const words of [[], ['maybe'], ['always'], ['yes', 'no'], ['1']])
      assert.equal(
        refusal(() => answer([permission], words)),
        'usage',
        words.join(),
      );
    assert.equal(
      refusal(() => answer([permission], ['yes'], 'a text')),
      'usage',
    );
  });
});

describe('the answer to questions', () => {
  it('an option is chosen by number or label', () => {
    for (const word of ['2', 'Blue', ' blue ', 'BLUE'])
      assert.deepEqual(answer([colour], [word]), {
        kind: 'answers',
        answers: [{ options: ['2'] }],
      });
    assert.deepEqual(answer([colour], [], 'green'), {
      kind: 'answers',
      answers: [{ options: [], text: 'green' }],
    });
  });

  it('several questions take one choice each, and several options if the question allows it', () => {
    const chosen = (word: string) => {
      const given = answer([colour, sizes], ['Red', word]);
      return given.kind === 'answers' ? given.answers[1]?.options : undefined;
    };
    assert.deepEqual(chosen('1,3'), ['1', '3']);
    assert.deepEqual(chosen('Small, 1'), ['1']);
    assert.deepEqual(chosen('Large, wide'), ['2']);
    assert.deepEqual(chosen('large'), ['3']);
  });

  it('a choice that does not fit is refused', () => {
    for (const words of [['3'], ['0'], ['1,2'], ['green'], ['1', '1'], [], [''], ['-1'], ['1e0']])
      assert.equal(
        refusal(() => answer([colour], words)),
        'usage',
        words.join(),
      );
    assert.equal(
      refusal(() => answer([colour, sizes], ['1'])),
      'usage',
    );
    assert.equal(
      refusal(() => answer([colour, sizes], [], 'green')),
      'usage',
    );
  });

  it('of options with the same label only the number tells', () => {
    const twice = { ...colour, options: [option('1', 'Red'), option('2', 'Red')] };
    assert.equal(
      refusal(() => answer([twice], ['Red'])),
      'usage',
    );
    assert.deepEqual(answer([twice], ['2']), { kind: 'answers', answers: [{ options: ['2'] }] });
  });
});

describe('the question that an answer is for', () => {
  const asks = [permission, colour, sizes];

  it('all questions of a call belong together', () => {
    assert.deepEqual(asksToAnswer('shop', asks, 'call-2'), [colour, sizes]);
    assert.deepEqual(asksToAnswer('shop', asks, 'call-2:2'), [colour, sizes]);
    assert.deepEqual(asksToAnswer('shop', [permission], undefined), [permission]);
  });

  it('a question that is no longer open is not answered, and none is guessed', () => {
    assert.equal(
      refusal(() => asksToAnswer('shop', asks, 'call-3')),
      'ask-gone',
    );
    assert.equal(
      refusal(() => asksToAnswer('shop', [], 'call-1')),
      'ask-gone',
    );
    assert.equal(
      refusal(() => asksToAnswer('shop', asks, undefined)),
      'usage',
    );
  });
});
