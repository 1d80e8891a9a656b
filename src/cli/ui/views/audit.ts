// A line of the audit log as text. Pure.
import { parseRecord } from '../../../monitor/audit-line.ts';
import { oneLine } from '../../../printable.ts';
import type { Style } from '../style.ts';

/** A line that is not a record of the audit log is returned as it is. */
export function auditLine(line: string, style: Style): string {
  const record = parseRecord(line);
  if (!record) return oneLine(line);
  const { timestamp, level, action, title, description, repeats } = record;
  const colour =
    level === 'critical' || level === 'high'
      ? style.red
      : level === 'warning'
        ? style.yellow
        : style.dim;
  const times = repeats === undefined ? '' : ` (${repeats} more)`;
  const about = title === description ? '' : `: ${oneLine(description)}`;
  return `${oneLine(timestamp)}  ${colour(level.padEnd(8))}  ${oneLine(action)}${times}  ${oneLine(title)}${about}`;
}
