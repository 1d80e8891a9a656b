// Display width of text on a terminal. Pure.

/** Wide in every terminal: CJK, Hangul, full-width forms, emoji (Unicode's East Asian Width W and F, by blocks). */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const markOrFormat = /[\p{M}\p{Cf}]/u;

/** Columns of a text without control characters. */
export function displayWidth(text: string): number {
  let sum = 0;
  for (const character of text) sum += charWidth(character);
  return sum;
}

/** Cuts a text to a number of columns; `…` at the end marks the cut. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  return `${takeColumns(text, columns - 1)}${columns > 0 ? '…' : ''}`;
}

/** Cuts a path and keeps its end: `…/projects/shop`. */
export function truncatePath(path: string, columns: number): string {
  if (displayWidth(path) <= columns) return path;
  const backwards = takeColumns([...path].reverse().join(''), columns - 1);
  const tail = [...backwards].reverse().join('');
  const slash = tail.indexOf('/');
  return `${columns > 0 ? '…' : ''}${slash > 0 ? tail.slice(slash) : tail}`;
}

/** As much of the beginning as fits. */
export function takeColumns(text: string, columns: number): string {
  let [taken, left] = ['', columns];
  for (const character of text) {
    left -= charWidth(character);
    if (left < 0) break;
    taken += character;
  }
  return taken;
}

function charWidth(character: string): number {
  if (character < '\u0300') return 1;
  if (markOrFormat.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}
