// Whether a message has arrived in Claude Code, by the lines that it adds to a transcript.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { threadTime } from '../../host/proc/allowance.ts';
import { readDelivery } from './delivery.ts';

const said = (content: unknown, more: object = {}) => ({
  type: 'user',
  message: { content },
  ...more,
});
const replied = (text: string, stop_reason: string | null = 'end_turn') => ({
  type: 'assistant',
  message: { content: [{ type: 'text', text }], stop_reason },
});
const queue = (operation: string, content?: string) => ({
  type: 'queue-operation',
  operation,
  ...(content !== undefined && { content }),
});
const delivery = (message: string | undefined, ...lines: object[]) => {
  const wanted = message === undefined ? turn : ({ kind: 'message', text: message } as const);
  const { state, end, hasMore } = readDelivery(textOf(lines), wanted);
  return { state, end, hasMore };
};
const textOf = (lines: readonly object[]) =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const turn = { kind: 'turn' } as const;
const delivered = { state: 'delivered', end: undefined, hasMore: false } as const;

describe('the delivery of a message', () => {
  it('a message is delivered when the transcript has it, and its turn ends with an answer', () => {
    assert.equal(delivery('hello').state, 'none');
    assert.deepEqual(delivery('hello', said('other')).state, 'none');
    assert.deepEqual(delivery('hello', said('hello')), delivered);
    const calls = replied('running', 'tool_use');
    assert.deepEqual(delivery('hello', said('hello'), calls), delivered);
    const result = said([{ type: 'tool_result', tool_use_id: 'a', content: 'x' }]);
    assert.deepEqual(delivery('hello', said('hello'), calls, result), delivered);
    assert.equal(delivery('hello', said('hello'), calls, result, replied('done')).end, 'finished');
  });

  it('a turn ends by an interruption or an error of the provider too', () => {
    const stopped = said([{ type: 'text', text: '[Request interrupted by user]' }]);
    assert.equal(delivery('a', said('a'), stopped).end, 'interrupted');
    const failed = { ...replied('API Error: 400', 'stop_sequence'), isApiErrorMessage: true };
    assert.equal(delivery('a', said('a'), failed).end, 'failed');
  });

  it('a queued message is not ended by the turn before it', () => {
    const lines = [queue('enqueue', 'next'), queue('dequeue'), replied('of the turn before')];
    assert.deepEqual(delivery('next', ...lines), { ...delivered, state: 'queued' });
    assert.equal(delivery('next', ...lines, said('next'), replied('yes')).end, 'finished');
    const absorbed = { type: 'attachment', attachment: { type: 'queued_command', prompt: 'next' } };
    assert.equal(delivery('next', lines[0] ?? {}, absorbed, replied('yes')).end, 'finished');
  });

  it('a message that is taken back into the input box is not delivered', () => {
    const lines = [queue('enqueue', 'next'), queue('popAll', 'next')];
    assert.equal(delivery('next', ...lines).state, 'cancelled');
  });

  it('white space, marks of a paste and commands may differ from what was typed', () => {
    const pasted = '\n\n<pasted_content id="32bd">\na\tb\nc\n</pasted_content id="32bd">\n';
    assert.deepEqual(delivery('a\tb\nc', said(pasted)), delivered);
    const command =
      '<command-name>/model</command-name>\n<command-message>model</command-message>\n<command-args>opus</command-args>';
    assert.equal(delivery('/model opus', said(command)).state, 'delivered');
    const local = { type: 'system', subtype: 'local_command', content: command };
    assert.equal(delivery('/model opus', local).end, 'finished');
    assert.equal(delivery('!ls -l', said('<bash-input>ls -l</bash-input>')).state, 'delivered');
  });

  it('text that was in the input box is noticed', () => {
    assert.deepEqual(delivery('hello', said('draft hello')), { ...delivered, hasMore: true });
  });

  it('characters that Claude Code drops do not matter', () => {
    assert.deepEqual(delivery('a\u00adb\u200b c\u202e', said('ab c')), delivered);
  });

  it('the answer to a later message is not taken for the answer to this one', () => {
    const lines = [said('one'), replied('to one'), said('two'), replied('to two')];
    const { end, isOver, words } = readDelivery(textOf(lines), { kind: 'message', text: 'one' });
    assert.deepEqual({ end, isOver, words }, { end: 'finished', isOver: true, words: 'to one' });
  });

  it('without a message the end of any turn is found', () => {
    assert.deepEqual(delivery(undefined), delivered);
    assert.equal(delivery(undefined, said('x'), replied('y')).end, 'finished');
    const over = readDelivery(textOf([replied('y'), said('next')]), turn);
    assert.deepEqual([over.end, over.isOver], ['finished', true]);
  });

  it('the turn of a queued message begins after the one before', () => {
    const wanted = { kind: 'queued-turn' } as const;
    const before = [replied('of the turn before'), queue('dequeue')];
    assert.equal(readDelivery(textOf(before), wanted).end, undefined);
    const { end } = readDelivery(textOf([...before, said('next'), replied('yes')]), wanted);
    assert.equal(end, 'finished');
  });

  it('text that is made to be slow to parse is read in a moment', () => {
    const wanted = { kind: 'message', text: 'x' } as const;
    const begin = threadTime();
    for (const part of ['</pasted_content ', '<command-name>', '<bash-input>'])
      readDelivery(textOf([said(`<pasted_content>${part.repeat(100_000)}`)]), wanted);
    assert.ok(threadTime() - begin < 2000);
  });
});
