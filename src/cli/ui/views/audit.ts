// A line of the audit log for people. Pure.
import { recordIn } from '../../../monitor/audit-line.ts';
import { oneLine } from '../../../printable.ts';
import type { Style } from '../style.ts';

/** The line itself where it is none of ours. */
export function auditLine(line: string, style: Style): string {
  const record = recordIn(line);
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
