// Text in lines of a width. Pure.
import { displayWidth, takeColumns } from '../ui/text-width.ts';

const nameEnd = 3;

/** Lines of a text without control characters, broken at spaces where that is possible; all have its indent, up to a third. */
export function wrap(text: string, columns: number): readonly string[] {
  const indent = (/^ */.exec(text)?.[0] ?? '').slice(0, Math.floor(columns / 3));
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trimStart().split(/(?<= )/)) {
    if (displayWidth(line + word.trimEnd()) > columns && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += word;
    while (displayWidth(line.trimEnd()) > columns) {
      const head = takeColumns(line, columns);
      // A character that is wider than the line.
      if (head.length <= indent.length) return [...lines, head];
      lines.push(head);
      line = `${indent}${line.slice(head.length)}`;
    }
  }
  return [...lines, line.trimEnd()];
}

/** Exactly that many columns. */
export function padded(text: string, columns: number): string {
  const shown = takeColumns(text, columns);
  return `${shown}${' '.repeat(Math.max(0, columns - displayWidth(shown)))}`;
}

/** The middle is left out: the end of a session's name is its slot. */
export function truncatedName(name: string, columns: number): string {
  if (displayWidth(name) <= columns) return name;
  return `${takeColumns(name, columns - 1 - nameEnd)}…${endOf(name, nameEnd)}`;
}

/** As much of the end as fits. */
export function endOf(text: string, columns: number): string {
  const backwards = takeColumns([...text].reverse().join(''), columns);
  return [...backwards].reverse().join('');
}
