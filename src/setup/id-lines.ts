// Lines that coi added to /etc/subuid and /etc/subgid: recorded before they are written, so that exactly these can be
// removed again. Pure.

export interface IdLine {
  /** /etc/subuid or /etc/subgid. */
  readonly path: string;
  readonly line: string;
}

export const idFiles = ['/etc/subuid', '/etc/subgid'] as const;

/** In coid's directory: lines that coid added for single users (daemon/mounts/own-ids.ts). Setup has its own record. */
export const singleIdsName = 'own-ids.json';

export function idLinesText(lines: readonly IdLine[]): string {
  return `${JSON.stringify({ version: 1, lines }, null, 2)}\n`;
}

/** Empty for an invalid record: lines that are not known to be coi's stay. */
export function parseIdLines(text: string | undefined): readonly IdLine[] {
  try {
    const { lines } = JSON.parse(text ?? '') as { lines?: unknown };
    return isIdLines(lines) ? lines : [];
  } catch {
    return [];
  }
}

export function isIdLines(value: unknown): value is IdLine[] {
  return (
    Array.isArray(value) &&
    value.every((one) => typeof one?.path === 'string' && typeof one.line === 'string')
  );
}

export function isSameLine(one: IdLine, other: IdLine): boolean {
  return one.path === other.path && one.line === other.line;
}

/** Removes the line once: a second copy of it is not coi's. */
export function withoutLine(text: string, line: string): string {
  const lines = text.split('\n');
  const at = lines.lastIndexOf(line);
  return at < 0 ? text : lines.toSpliced(at, 1).join('\n');
}

/** Single ids of root without a record: older versions of coid added such lines, and so do administrators. */
export function singleIds(path: string, text: string, known: readonly IdLine[]): IdLine[] {
  return text
    .split('\n')
    .filter((line) => /^root:[1-9]\d*:1$/.test(line))
    .map((line) => ({ path, line }))
    .filter((one) => !known.some((other) => isSameLine(one, other)));
}
