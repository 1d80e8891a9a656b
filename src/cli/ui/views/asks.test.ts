// The questions of an agent as lines for a terminal.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Ask } from '../../../attention/activity.ts';
import { answerCommand, askLines } from './asks.ts';

const ask: Ask = {
  id: 'toolu_1',
  kind: 'question',
  title: 'Which colour?',
  options: [
    { id: '1', label: 'Red', note: 'A red one' },
    { id: '2', label: 'Blue' },
  ],
};

it('a question has its options with their numbers', () => {
  assert.deepEqual(askLines({ ...ask, multiple: true }), [
    'Which colour? (question, several may be chosen)',
    '  1  Red  (A red one)',
    '  2  Blue',
  ]);
});

it('the command that answers it names the question and one option for each', () => {
  const second = { ...ask, id: 'toolu_1:2' };
  assert.equal(answerCommand('shop', [ask, second]), 'coi answer shop --ask toolu_1 1 1');
});

it('what a container writes never becomes part of a command of the host', () => {
  for (const id of ['x;touch y', '$(id)', '-x', 'a b', '`id`', "'", '', 'x\ny', 'x&y'])
    assert.equal(answerCommand('shop', [{ ...ask, id }]), 'coi attach shop', id);
  const option = { id: '$(id)', label: 'x' };
  assert.equal(answerCommand('shop', [{ ...ask, options: [option] }]), 'coi attach shop');
});
