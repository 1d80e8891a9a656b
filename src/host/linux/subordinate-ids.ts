// Root's subordinate ids, for containers. Source: subuid(5).
import { readFileSync } from 'node:fs';

export interface SubordinateRange {
  readonly from: number;
  readonly count: number;
}

/** Incus's default if the files have no entry. */
const defaultRange: SubordinateRange = { from: 1_000_000, count: 1_000_000_000 };

/** The ids that both /etc/subuid and /etc/subgid grant to root. */
export function rootSubordinateIds(): SubordinateRange {
  const [uids, gids] = ['/etc/subuid', '/etc/subgid'].map((path) => {
    try {
      return largestRange(readFileSync(path, 'utf8'));
    } catch {
      return defaultRange;
    }
  });
  return commonRange(uids ?? defaultRange, gids ?? defaultRange);
}

/** Whether such a file grants that id to root; false if it cannot be read. */
export function rootHasId(path: string, id: number): boolean {
  try {
    return rangesOfRoot(readFileSync(path, 'utf8')).some(
      ({ from, count }) => id >= from && id < from + count,
    );
  } catch {
    return false;
  }
}

/** Root's largest range in the text of such a file, or the default. */
export function largestRange(text: string): SubordinateRange {
  return rangesOfRoot(text).toSorted((a, b) => b.count - a.count)[0] ?? defaultRange;
}

function rangesOfRoot(text: string): SubordinateRange[] {
  return text.split('\n').flatMap((line) => {
    const [owner, from, count] = line.trim().split(':');
    return (owner === 'root' || owner === '0') && Number(count) > 0
      ? [{ from: Number(from), count: Number(count) }]
      : [];
  });
}

/** The intersection; may be empty. */
export function commonRange(a: SubordinateRange, b: SubordinateRange): SubordinateRange {
  const from = Math.max(a.from, b.from);
  return { from, count: Math.max(0, Math.min(a.from + a.count, b.from + b.count) - from) };
}
