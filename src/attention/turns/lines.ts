// The lines of a transcript with one JSON object per line. Pure.
import { badLinesMax } from '../claude/lines.ts';
import { fieldsOf, textOf } from '../fields.ts';

export interface TranscriptLine {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Its `timestamp`. */
  readonly ms: number;
}

/** Lines with a time; others, and the first one if it was cut, are left out. */
export function* transcriptLines(tail: string): Generator<TranscriptLine, void> {
  let bad = 0;
  for (const line of tail.split('\n')) {
    if (!line.startsWith('{')) continue;
    const value = parsed(line);
    if (value === undefined) bad += 1;
    if (bad > badLinesMax) return;
    const fields = fieldsOf(value);
    const ms = Date.parse(textOf(fields['timestamp']));
    if (!Number.isNaN(ms)) yield { fields, ms };
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
