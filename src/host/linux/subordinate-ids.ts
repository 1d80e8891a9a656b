// The ids that root may hand to containers. Source: subuid(5).
import { readFileSync } from 'node:fs';

export interface SubordinateRange {
  readonly from: number;
  readonly count: number;
}

/** What Incus takes when the files say nothing. */
const usual: SubordinateRange = { from: 1_000_000, count: 1_000_000_000 };

/** What /etc/subuid and /etc/subgid both give to root. */
export function rootSubordinateIds(): SubordinateRange {
  const [uids, gids] = ['/etc/subuid', '/etc/subgid'].map((path) => {
    try {
      return largestRange(readFileSync(path, 'utf8'));
    } catch {
      return usual;
    }
  });
  return commonRange(uids ?? usual, gids ?? usual);
}

/** Whether such a file gives that id to root; it does not where it cannot be read. */
export function rootHasId(path: string, id: number): boolean {
  try {
    return rangesOfRoot(readFileSync(path, 'utf8')).some(
      ({ from, count }) => id >= from && id < from + count,
    );
  } catch {
    return false;
  }
}

/** Root's largest range in the text of such a file; the usual one where it has none. */
export function largestRange(text: string): SubordinateRange {
  return rangesOfRoot(text).toSorted((a, b) => b.count - a.count)[0] ?? usual;
}

function rangesOfRoot(text: string): SubordinateRange[] {
  return text.split('\n').flatMap((line) => {
    const [owner, from, count] = line.trim().split(':');
    return (owner === 'root' || owner === '0') && Number(count) > 0
      ? [{ from: Number(from), count: Number(count) }]
      : [];
  });
}

/** What lies in both; empty if nothing does. */
export function commonRange(a: SubordinateRange, b: SubordinateRange): SubordinateRange {
  const from = Math.max(a.from, b.from);
  return { from, count: Math.max(0, Math.min(a.from + a.count, b.from + b.count) - from) };
}
