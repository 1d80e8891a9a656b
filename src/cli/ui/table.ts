// Tables in the predecessor's format: columns separated by two spaces, headers in upper case, no borders.
import { displayWidth } from './text-width.ts';

/** Lines of a table, without trailing spaces. Cells must be single lines. */
export function table(headers: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [headers, ...rows];
  const widths = headers.map((_, column) =>
    Math.max(...all.map((row) => width(row[column] ?? ''))),
  );
  return all.map((row) =>
    widths
      .map((columnWidth, column) => {
        const cell = row[column] ?? '';
        return cell + ' '.repeat(columnWidth - width(cell));
      })
      .join('  ')
      .trimEnd(),
  );
}

function width(text: string): number {
  return displayWidth(text.replace(/\u001b\[[0-9;]*m/g, ''));
}
