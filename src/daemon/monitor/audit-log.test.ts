import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditRecord, verified } from '../../monitor/audit.ts';
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

class Place implements Disposable {
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

test('a log grows into parts, of which the oldest go; what is left is whole, and nobody else reads it', () => {
  using place = new Place();
  for (let line = 0; line < 200; line += 1) place.logs.append(log, record(`number ${line}`));
  const { lines, head } = place.logs.read(log);
  assert.equal(head?.seq, 200);
  assert.ok(lines.length < 200 && place.names().length <= partsMax + 2, place.names().join(' '));
  assert.deepEqual(verified(lines, head).problems, []);
  // Who wants the last few is given them without what is older.
  const few = place.logs.read(log, 3).lines;
  assert.deepEqual(few.slice(-3), lines.slice(-3));
  assert.ok(few.length < lines.length);
  for (const name of place.names())
    assert.equal(statSync(join(place.directory, name)).mode & 0o077, 0, name);
});

test('parts go when they are older than the log is kept, and the whole log when its session is long gone', () => {
  using place = new Place();
  place.logs.keepFor(log, 10);
  for (let line = 0; line < 30; line += 1) place.logs.append(log, record(`number ${line}`));
  const part = 'coi-test-1.jsonl.2';
  place.age(part, 11);
  place.age('coi-test-1.jsonl.1', 9);
  place.logs.expire();
  assert.ok(!place.names().includes(part) && place.names().includes('coi-test-1.jsonl.1'));
  for (const name of place.names()) place.age(name, 11);
  place.logs.expire();
  assert.deepEqual(place.names(), []);
  // A later session of that name begins a chain of its own.
  place.logs.append(log, record('again'));
  const { lines, head } = place.logs.read(log);
  assert.deepEqual(verified(lines, head).problems, []);
});

test('with 0 days a log is kept for ever, and without a word for 30', () => {
  using place = new Place();
  const other = { owner: 1003, container: 'coi-test-2' };
  place.logs.append(log, record('kept'));
  place.logs.keepFor(log, 0);
  place.logs.append(other, record('not kept'));
  for (const name of place.names()) place.age(name, 31);
  place.logs.expire();
  assert.deepEqual(place.logs.read(log).lines.length, 1);
  assert.deepEqual(place.logs.read(other).lines, []);
});
