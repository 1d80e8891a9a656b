// Status files of the real Codex, Gemini CLI and pi, with the ends of their transcripts, recorded by hand in sessions of coi.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { threadTime } from '../../host/proc/allowance.ts';
import { readTranscript } from '../claude/transcript.ts';
import { parseStatusFile } from '../status-file.ts';
import { readCodexTurn } from './codex.ts';
import { readGeminiTurn } from './gemini.ts';
import { type Turn, withTurn } from './turn.ts';

interface Trace {
  readonly agent: string;
  readonly version: string;
  readonly steps: readonly {
    readonly step: string;
    /** What it wrote in this step; if nothing, its last file stays. */
    readonly files: readonly object[];
    readonly transcript?: readonly object[];
    /** At the end of the step. */
    readonly expected: {
      readonly status: 'none' | 'busy' | 'idle' | 'waiting';
      readonly end?: string;
      readonly said?: string;
      readonly title?: string;
      readonly body?: string;
    };
  }[];
}

const readers: Readonly<Record<string, (tail: string) => Turn>> = {
  codex: readCodexTurn,
  gemini: readGeminiTurn,
  pi: () => ({}),
};

function traces(name: string): readonly Trace[] {
  const url = new URL(`../traces/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as readonly Trace[];
}

for (const { agent, version, steps } of Object.keys(readers).flatMap(traces))
  describe(`${agent} ${version}`, () => {
    let last: object | undefined;
    for (const { step, files, transcript = [], expected } of steps) {
      last = files.at(-1) ?? last;
      const written = last;
      it(step, () => {
        const file = written && parseStatusFile(JSON.stringify(written));
        if (!file) return assert.equal('none', expected.status);
        const tail = transcript.map((line) => `${JSON.stringify(line)}\n`).join('');
        const { entry, report } = withTurn(file, readers[agent]?.(tail) ?? {});
        const [ask] = report.asks;
        assert.deepEqual(
          {
            status: entry.status,
            end: entry.status === 'idle' ? report.end : undefined,
            said: report.said,
            title: ask?.title,
            body: ask?.body ?? '',
          },
          { end: undefined, said: undefined, title: undefined, body: '', ...expected },
        );
        assert.ok(entry.conversation !== '' && (entry.sinceMs ?? 0) > 0);
      });
    }
  });

describe('whatever a container writes', () => {
  it('is read quickly, also lines that are no JSON and JSON that is nested deeply', () => {
    const depth = 15_000;
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    const hook = `{"hook_event_name":"PermissionRequest","tool_input":{"a":${deep}}}`;
    assert.ok(parseStatusFile(`{"pid":1,"status":"waiting","asks":[{"id":"x"}],"hook":${hook}}`));
    const beginMs = threadTime();
    for (const line of ['{\n', '\n', '{"a":\n']) {
      const tail = line.repeat(Math.floor(262_144 / line.length));
      for (const read of Object.values(readers)) read(tail);
      readTranscript(tail);
    }
    // Each of these lines would cost some microseconds as an error.
    assert.ok(threadTime() - beginMs < 1500);
  });

  const word = fc.constantFrom(
    ...['task_started', 'task_complete', 'turn_aborted', 'error', 'info', 'user', 'gemini'],
    ...['PermissionRequest', 'Notification', 'Stop', 'AfterAgent', 'Request cancelled.', 'waiting'],
  );
  const value = fc.oneof(fc.jsonValue(), word);
  const object = fc.record(
    {
      timestamp: fc.oneof(value, fc.constant('2026-11-30T22:06:00.177Z')),
      type: value,
      content: value,
      payload: fc.oneof(value, fc.record({ type: word, error: value, last_agent_message: value })),
    },
    { requiredKeys: [] },
  );
  const hook = fc.record({
    hook_event_name: word,
    details: value,
    tool_input: value,
    tool_name: value,
  });
  it('is read without an error', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(object, value)), hook, value, (lines, hooked, asks) => {
        const text = JSON.stringify({ v: 1, pid: 1, status: 'waiting', asks, hook: hooked });
        const file = parseStatusFile(text);
        assert.ok(file);
        const tail = lines.map((line) => JSON.stringify(line)).join('\n');
        for (const read of Object.values(readers)) withTurn(file, read(tail));
      }),
    );
  });
});
