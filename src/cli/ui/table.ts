// Tables as the predecessor printed them: columns padded by two spaces, headers in upper case, no borders.
import { cells } from './fit.ts';

/** Lines of a table; trailing blanks are dropped. Cells must be single lines. */
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
  return cells(text.replace(/\u001b\[[0-9;]*m/g, ''));
}
