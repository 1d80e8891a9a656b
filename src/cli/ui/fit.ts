// What fits on a line of a terminal. Pure.

/** Wide in every terminal: CJK, Hangul, full-width forms, emoji (Unicode's East Asian Width W and F, by blocks). */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const markOrFormat = /[\p{M}\p{Cf}]/u;

/** Columns that a text without control characters takes. */
export function cells(text: string): number {
  let sum = 0;
  for (const character of text) sum += cellsOf(character);
  return sum;
}

/** At most that many columns; what is left out shows as `…`, at the end. */
export function cut(text: string, columns: number): string {
  if (cells(text) <= columns) return text;
  return `${head(text, columns - 1)}${columns > 0 ? '…' : ''}`;
}

/** The same for paths, whose end says most: `…/projects/shop`. */
export function cutPath(path: string, columns: number): string {
  if (cells(path) <= columns) return path;
  const backwards = head([...path].reverse().join(''), columns - 1);
  const tail = [...backwards].reverse().join('');
  const slash = tail.indexOf('/');
  return `${columns > 0 ? '…' : ''}${slash > 0 ? tail.slice(slash) : tail}`;
}

function head(text: string, columns: number): string {
  let [taken, left] = ['', columns];
  for (const character of text) {
    left -= cellsOf(character);
    if (left < 0) break;
    taken += character;
  }
  return taken;
}

function cellsOf(character: string): number {
  if (character < '\u0300') return 1;
  if (markOrFormat.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}
