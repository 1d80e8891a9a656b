// The audit log: JSON lines, each with the hash of the previous one, so that changing, removing or inserting a line is
// detected. Pure; does not store the lines.
import { createHash } from 'node:crypto';
import { printableJson } from '../names.ts';
import { redacted, redactedEvidence } from './redact.ts';
import type { Action } from './respond.ts';
import type { Category, Level, Threat } from './threat.ts';

/** The fields of the old program's lines; `chainRecord` adds the hash chain. */
export interface AuditRecord {
  readonly id: string;
  readonly timestamp: string;
  readonly container: string;
  readonly level: Level;
  readonly category: Category;
  readonly title: string;
  readonly description: string;
  readonly evidence: unknown;
  readonly action: Action | AuditEvent;
  readonly repeats?: number;
}

/** Records other than findings. */
export type AuditEvent = 'watch-started' | 'watch-ended' | 'unfrozen' | 'evidence-kept' | 'failed';

/** The end of the chain, which the next line refers to. */
export interface ChainHead {
  /** The number of the last line; 0 before the first. */
  readonly seq: number;
  readonly hash: string;
}

export const chainStart: ChainHead = { seq: 0, hash: '0'.repeat(64) };

export function auditRecord(
  about: { readonly id: string; readonly timestamp: string; readonly container: string },
  threat: Omit<Threat, 'key'>,
  action: AuditRecord['action'],
  repeats?: number,
): AuditRecord {
  return {
    ...about,
    level: threat.level,
    category: threat.category,
    title: redacted(threat.title),
    description: redacted(threat.description),
    evidence: redactedEvidence(threat.evidence),
    action,
    ...(repeats === undefined ? {} : { repeats }),
  };
}

/** The line (with its newline) for a record, and the head after it. */
export function chainRecord(
  head: ChainHead,
  record: AuditRecord,
): { readonly line: string; readonly head: ChainHead } {
  const seq = head.seq + 1;
  // Escaped before it is hashed, so that printed lines can be verified too.
  const body = printableJson(JSON.stringify({ ...record, seq, prev: head.hash }));
  const hash = sha256(body);
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}\n`, head: { seq, hash } };
}

export interface Verdict {
  readonly lines: number;
  /** Problems by line number, from 1; empty if the log is intact. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
  readonly head: ChainHead;
}

/**
 * Verifies lines, the oldest first. The first line may refer to an older one, since old files are removed. `expected` is
 * the separately stored head, which reveals missing lines at the end.
 */
export function verifyLines(lines: readonly string[], expected?: ChainHead): Verdict {
  const problems: { line: number; problem: string }[] = [];
  let head: ChainHead | undefined;
  lines.forEach((line, index) => {
    const problem = (text: string) => problems.push({ line: index + 1, problem: text });
    const found = parseLine(line);
    if (!found) {
      problem('is not a line of an audit log');
      return;
    }
    if (!found.intact) problem('was changed');
    if (head && found.seq !== head.seq + 1)
      problem(`has number ${found.seq} after ${head.seq}: lines are missing or were inserted`);
    else if (head && found.prev !== head.hash) problem('does not follow from the line before');
    if (!head && found.seq === 1 && found.prev !== chainStart.hash)
      problem('is number 1 but refers to a previous line');
    head = { seq: found.seq, hash: found.hash };
  });
  const last = head ?? chainStart;
  if (expected && (expected.seq !== last.seq || expected.hash !== last.hash)) {
    problems.push({
      line: lines.length,
      problem: `is the last, but ${expected.seq} lines were written: the end is missing or was changed`,
    });
  }
  return { lines: lines.length, problems, head: last };
}

/** The head after a line; undefined for an invalid line. */
export function headAfter(line: string): ChainHead | undefined {
  const found = parseLine(line);
  return found?.intact ? { seq: found.seq, hash: found.hash } : undefined;
}

function parseLine(
  line: string,
): { seq: number; prev: string; hash: string; intact: boolean } | undefined {
  const [, body, hash] = /^(\{.*),"hash":"([0-9a-f]{64})"\}$/.exec(line) ?? [];
  if (body === undefined || hash === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(`${body}}`);
    if (typeof value !== 'object' || value === null || !('seq' in value) || !('prev' in value))
      return undefined;
    const { seq, prev } = value;
    if (typeof seq !== 'number' || typeof prev !== 'string') return undefined;
    return { seq, prev, hash, intact: sha256(`${body}}`) === hash };
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
