import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditRecord, verifyLines } from '../../monitor/audit.ts';
import { AuditLogs, partsMax } from './audit-log.ts';

const log = { owner: 1003, container: 'coi-test-1' };
const now = new Date('2026-06-30T00:00:00Z');
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);

function record(title: string) {
  const about = { id: 'i', timestamp: now.toISOString(), container: log.container };
  const threat = {
    level: 'info',
    category: 'process',
    title,
    description: '',
    evidence: {},
  } as const;
  return auditRecord(about, threat, 'logged');
}

class LogFixture implements Disposable {
  readonly stateDir = mkdtempSync(join(tmpdir(), 'coit-audit-'));
  readonly logs = new AuditLogs(this.stateDir, () => now, 2000);
  readonly directory = join(this.stateDir, 'audit/1003');

  names(): string[] {
    return readdirSync(this.directory).sort();
  }

  age(name: string, days: number): void {
    utimesSync(join(this.directory, name), daysAgo(days), daysAgo(days));
  }

  [Symbol.dispose](): void {
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

test('a log is split into parts and the oldest are deleted; the rest verifies and is private', () => {
  using fixture = new LogFixture();
  for (let line = 0; line < 200; line += 1) fixture.logs.append(log, record(`number ${line}`));
  const { lines, head } = fixture.logs.read(log);
  assert.equal(head?.seq, 200);
  assert.ok(
    lines.length < 200 && fixture.names().length <= partsMax + 2,
    fixture.names().join(' '),
  );
  assert.deepEqual(verifyLines(lines, head).problems, []);
  // A request for the last few lines gets them without older ones.
  const few = fixture.logs.read(log, 3).lines;
  assert.deepEqual(few.slice(-3), lines.slice(-3));
  assert.ok(few.length < lines.length);
  for (const name of fixture.names())
    assert.equal(statSync(join(fixture.directory, name)).mode & 0o077, 0, name);
});

test('parts beyond the retention time are deleted, and the whole log long after its session', () => {
  using fixture = new LogFixture();
  fixture.logs.keepFor(log, 10);
  for (let line = 0; line < 30; line += 1) fixture.logs.append(log, record(`number ${line}`));
  const part = 'coi-test-1.jsonl.2';
  fixture.age(part, 11);
  fixture.age('coi-test-1.jsonl.1', 9);
  fixture.logs.expire();
  assert.ok(!fixture.names().includes(part) && fixture.names().includes('coi-test-1.jsonl.1'));
  for (const name of fixture.names()) fixture.age(name, 11);
  fixture.logs.expire();
  assert.deepEqual(fixture.names(), []);
  // A later session of that name starts a new chain.
  fixture.logs.append(log, record('again'));
  const { lines, head } = fixture.logs.read(log);
  assert.deepEqual(verifyLines(lines, head).problems, []);
});

test('0 days keep an audit log for ever; the default is 30', () => {
  using fixture = new LogFixture();
  const other = { owner: 1003, container: 'coi-test-2' };
  fixture.logs.append(log, record('kept'));
  fixture.logs.keepFor(log, 0);
  fixture.logs.append(other, record('not kept'));
  for (const name of fixture.names()) fixture.age(name, 31);
  fixture.logs.expire();
  assert.deepEqual(fixture.logs.read(log).lines.length, 1);
  assert.deepEqual(fixture.logs.read(other).lines, []);
});
