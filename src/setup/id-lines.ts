// Lines of /etc/subuid and /etc/subgid that coi added: written down before they are made, so that exactly they can be taken
// away again. Pure.

export interface IdLine {
  /** /etc/subuid or /etc/subgid. */
  readonly path: string;
  readonly line: string;
}

export const idFiles = ['/etc/subuid', '/etc/subgid'] as const;

/** In coid's directory: what coid gave root for single users (daemon/mounts/own-ids.ts); what setup gave is in its own record. */
export const ownIdsName = 'own-ids.json';

export function idLinesText(lines: readonly IdLine[]): string {
  return `${JSON.stringify({ version: 1, lines }, null, 2)}\n`;
}

/** None where it is no such note: what is not known to be coi's stays. */
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

/** The text without that line, once: the same line a second time is somebody else's. */
export function withoutLine(text: string, line: string): string {
  const lines = text.split('\n');
  const at = lines.lastIndexOf(line);
  return at < 0 ? text : lines.toSpliced(at, 1).join('\n');
}

/** Single ids of root's that nobody wrote down: an earlier coid added such lines, and so do people. */
export function singleIds(path: string, text: string, known: readonly IdLine[]): IdLine[] {
  return text
    .split('\n')
    .filter((line) => /^root:[1-9]\d*:1$/.test(line))
    .map((line) => ({ path, line }))
    .filter((one) => !known.some((other) => isSameLine(one, other)));
}
