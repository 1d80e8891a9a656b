// The audit log: JSON lines, each with the hash of the one before, so that a line cannot be changed, taken out or put
// in without a trace. Pure; where the lines are kept is the business of others.
import { createHash } from 'node:crypto';
import { printableJson } from '../names.ts';
import { redacted, redactedEvidence } from './redact.ts';
import type { Action } from './respond.ts';
import type { Category, Level, Threat } from './threat.ts';

/** The fields of the predecessor's lines, and what chains them. */
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

/** What is written besides findings. */
export type AuditEvent = 'watch-started' | 'watch-ended' | 'unfrozen' | 'evidence-kept' | 'failed';

/** The end of the chain: what the next line refers to. */
export interface ChainHead {
  /** Of the last line; 0 before the first. */
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
export function chained(
  head: ChainHead,
  record: AuditRecord,
): { readonly line: string; readonly head: ChainHead } {
  const seq = head.seq + 1;
  // Escaped before it is hashed: what is printed can be verified again.
  const body = printableJson(JSON.stringify({ ...record, seq, prev: head.hash }));
  const hash = sha256(body);
  return { line: `${body.slice(0, -1)},"hash":"${hash}"}\n`, head: { seq, hash } };
}

export interface Verdict {
  readonly lines: number;
  /** What is wrong, by line number from 1; empty: the log is whole. */
  readonly problems: readonly { readonly line: number; readonly problem: string }[];
  readonly head: ChainHead;
}

/**
 * Checks lines, the oldest first. The first one may refer to something older, since old files are removed; `expected`
 * is the head that was written down apart, which tells whether lines are missing at the end.
 */
export function verified(lines: readonly string[], expected?: ChainHead): Verdict {
  const problems: { line: number; problem: string }[] = [];
  let head: ChainHead | undefined;
  lines.forEach((line, index) => {
    const problem = (text: string) => problems.push({ line: index + 1, problem: text });
    const found = unchained(line);
    if (!found) {
      problem('is not a line of an audit log');
      return;
    }
    if (!found.intact) problem('was changed');
    if (head && found.seq !== head.seq + 1)
      problem(`has number ${found.seq} after ${head.seq}: lines are missing or were put in`);
    else if (head && found.prev !== head.hash) problem('does not follow from the line before');
    if (!head && found.seq === 1 && found.prev !== chainStart.hash)
      problem('is numbered first and refers to another');
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

/** The head after a line; undefined for what is no line of ours. */
export function headAfter(line: string): ChainHead | undefined {
  const found = unchained(line);
  return found?.intact ? { seq: found.seq, hash: found.hash } : undefined;
}

function unchained(
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
