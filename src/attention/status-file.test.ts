import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseStatusFile } from './status-file.ts';

test('a status file says what its process does and asks', () => {
  const found = parseStatusFile(
    JSON.stringify({
      v: 1,
      pid: 42,
      comm: 'opencode',
      conversation: 'ses_1',
      status: 'waiting',
      since: 1_700_000_000_000,
      asks: [
        {
          id: 'per_1',
          kind: 'permission',
          title: 'bash',
          body: 'touch /tmp/x',
          options: [{ id: 'once', label: 'Allow once' }],
          subAgent: true,
        },
      ],
    }),
  );
  assert.equal(found?.comm, 'opencode');
  assert.deepEqual(found?.entry, {
    ...{ pid: 42, conversation: 'ses_1', cwd: '', status: 'waiting', waitingFor: undefined },
    sinceMs: 1_700_000_000_000,
  });
  assert.deepEqual(found?.report.asks, [
    {
      ...{ id: 'per_1', kind: 'permission', title: 'bash', body: 'touch /tmp/x' },
      options: [{ id: 'once', label: 'Allow once' }],
      subAgent: true,
    },
  ]);
});

test('the end of a turn and the last words are clean and short', () => {
  const said = `\u001b]52;c;aGk=\u0007 done ${'x'.repeat(5000)}`;
  const found = parseStatusFile(JSON.stringify({ pid: 1, status: 'idle', end: 'failed', said }));
  assert.equal(found?.report.end, 'failed');
  assert.doesNotMatch(found?.report.said ?? '', /\p{Cc}/u);
  assert.ok((found?.report.said ?? '').length <= 2048);
});

test('a status that coi does not know is unknown, never idle', () => {
  assert.equal(parseStatusFile('{"pid":1,"status":"thinking"}')?.entry.status, 'unknown');
  assert.equal(parseStatusFile('{"pid":1}')?.entry.status, 'unknown');
  for (const text of ['', 'null', '[]', '{', '{"pid":"1"}', '{"pid":-1}', '{"pid":1.5}'])
    assert.equal(parseStatusFile(text), undefined, text);
});

test('any JSON is read without an error, and nothing in an ask is a control character or long', () => {
  fc.assert(
    fc.property(fc.anything(), fc.array(fc.anything()), (said, asks) => {
      const found = parseStatusFile(JSON.stringify({ pid: 7, said, asks }) ?? '');
      for (const { title, body, options } of found?.report.asks ?? []) {
        assert.doesNotMatch(title + (body ?? '').replace(/[\n\t]/g, ''), /\p{Cc}/u);
        assert.ok(title.length <= 120 && (body ?? '').length <= 4096 && options.length <= 12);
      }
    }),
  );
});
