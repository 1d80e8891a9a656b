// Calls without a result, and who has decided about a call.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decisionSource, readTranscript } from './transcript.ts';

const textOf = (lines: readonly object[]) =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join('');
const call = (id: string, uuid: string) => ({
  type: 'assistant',
  uuid,
  message: { content: [{ type: 'tool_use', id, name: 'Bash', input: { command: id } }] },
});
const result = (id: string, source?: string) => ({
  type: 'user',
  message: { content: [{ type: 'tool_result', tool_use_id: id, content: 'x' }] },
  ...(source !== undefined && { permissionDecision: { decision: 'accept', source } }),
});
const pendingIds = (...lines: object[]) =>
  readTranscript(textOf(lines)).pending.map(({ id }) => id);

describe('the ids of calls', () => {
  it('are those of Anthropic, which are unique', () => {
    assert.deepEqual(pendingIds(call('toolu_1', 'a')), ['toolu_1']);
  });

  it('of other providers are made unique, so that an answer does not reach a later call', () => {
    const lines = [call('call_0', 'a'), result('call_0'), call('call_0', 'b')];
    assert.deepEqual(pendingIds(...lines), ['call_0.b']);
    assert.deepEqual(pendingIds(call('functions.Bash:1', 'c')), ['functions.Bash:1.c']);
  });
});

describe('who has decided about a call', () => {
  const wanted = { id: 'toolu_1', name: 'Bash', input: {} };
  const source = (...lines: object[]) => decisionSource(textOf(lines), wanted);

  it('is a hook or somebody else, once the call has a result', () => {
    assert.equal(source(call('toolu_1', 'a')), undefined);
    assert.equal(source(result('toolu_1', 'hook')), 'hook');
    assert.equal(source(result('toolu_1', 'user_temporary')), 'other');
    assert.equal(source(result('toolu_2', 'hook')), undefined);
    assert.equal(source(result('toolu_1')), undefined);
  });
});
