// coid's log: one JSON object a line, `time`, `level`, `event` and what belongs to it.

export type Level = 'debug' | 'info' | 'warning' | 'error';

export type Log = (
  level: Level,
  event: string,
  details?: Readonly<Record<string, unknown>>,
) => void;

/** Writes lines through `write`. Errors among the details become their text. It throws nothing that `write` does not. */
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
    write(`${lineOf({ ...known, ...plain }) ?? JSON.stringify({ ...known, unwritten: true })}\n`);
  };
}

/** Undefined for what JSON has no words for (a circle): that it happened has to be known all the same. */
function lineOf(details: Readonly<Record<string, unknown>>): string | undefined {
  try {
    return JSON.stringify(details, (_key, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
  } catch {
    return undefined;
  }
}
