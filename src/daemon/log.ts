// coid's log: one JSON object per line with `time`, `level`, `event` and its details.

export type Level = 'debug' | 'info' | 'warning' | 'error';

export type Log = (
  level: Level,
  event: string,
  details?: Readonly<Record<string, unknown>>,
) => void;

/** Writes lines through `write`; errors in the details become text. Throws only what `write` throws. */
export function jsonLog(
  write: (line: string) => void,
  now: () => Date,
  least: Level = 'info',
): Log {
  const order: readonly Level[] = ['debug', 'info', 'warning', 'error'];
  return (level, event, details = {}) => {
    if (order.indexOf(level) < order.indexOf(least)) return;
    const plain = Object.fromEntries(
      Object.entries(details).map(([key, value]) => [
        key,
        value instanceof Error ? (value.stack ?? value.message).slice(0, 2000) : value,
      ]),
    );
    const known = { time: now().toISOString(), level, event };
    write(
      `${serialize({ ...known, ...plain }) ?? JSON.stringify({ ...known, unwritten: true })}\n`,
    );
  };
}

/** Undefined if the details cannot be serialized (a cycle): the event itself must still be logged. */
function serialize(details: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return JSON.stringify(details, (_key, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  } catch {
    return undefined;
  }
}
