// The lines of a transcript that have a time. Pure.
import { transcriptLines } from '../claude/lines.ts';
import { fieldsOf, textOf } from '../fields.ts';

export interface TimedLine {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Its `timestamp`. */
  readonly ms: number;
}

/** Other lines are left out. */
export function* timedLines(tail: string): Generator<TimedLine, void> {
  for (const line of transcriptLines(tail)) {
    const fields = fieldsOf(line);
    const ms = Date.parse(textOf(fields['timestamp']));
    if (!Number.isNaN(ms)) yield { fields, ms };
  }
}
