// Draws a terminal's screen as SVG: each run of cells with the same style is one text. Pure except for the terminal.
import xterm from '@xterm/headless';

export interface CellStyle {
  /** `#rrggbb`; undefined: the terminal's default. */
  readonly colour: string | undefined;
  readonly background: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
}

export interface Run extends CellStyle {
  readonly column: number;
  readonly width: number;
  readonly text: string;
}

const size = { columnPx: 8.4, rowPx: 18, marginPx: 16, fontPx: 14 } as const;
const paper = '#16181d';
const ink = '#d5d8df';
/** The first sixteen colours, as most terminals have them. */
const named = [
  ...['#3b4048', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#abb2bf'],
  ...['#7f848e', '#ff7b86', '#b5e08f', '#ffd98c', '#82c4ff', '#dd94f2', '#74d4e0', '#ffffff'],
];

/** Writes a program's output to a terminal of that size and returns the rows of its screen. */
export async function renderScreen(
  output: string,
  columns: number,
  rows: number,
): Promise<Run[][]> {
  const options = { cols: columns, rows, scrollback: 1000, allowProposedApi: true };
  const terminal = new xterm.Terminal(options);
  await new Promise<void>((resolve) => terminal.write(output, resolve));
  const { active } = terminal.buffer;
  const shown = Array.from({ length: rows }, (_, row) =>
    runsOf(active.getLine(active.baseY + row)),
  );
  terminal.dispose();
  return shown;
}

function runsOf(line: ReturnType<xterm.Terminal['buffer']['active']['getLine']>): Run[] {
  const runs: Run[] = [];
  for (let column = 0; column < (line?.length ?? 0); column += 1) {
    const cell = line?.getCell(column);
    const width = cell?.getWidth() ?? 0;
    if (!cell || width === 0) continue;
    const text = cell.getChars() || ' ';
    const style = styleOf(cell);
    const last = runs.at(-1);
    if (last && isSameStyle(last, style) && last.column + last.width === column)
      runs[runs.length - 1] = { ...last, text: last.text + text, width: last.width + width };
    else runs.push({ ...style, column, width, text });
  }
  return runs.filter(({ text, background }) => background !== undefined || text.trim() !== '');
}

type Cell = NonNullable<
  ReturnType<NonNullable<ReturnType<xterm.Terminal['buffer']['active']['getLine']>>['getCell']>
>;

function styleOf(cell: Cell): CellStyle {
  const front = cell.isFgDefault() ? undefined : colourOf(cell.getFgColor(), cell.isFgRGB());
  const back = cell.isBgDefault() ? undefined : colourOf(cell.getBgColor(), cell.isBgRGB());
  const inverse = cell.isInverse() !== 0;
  return {
    colour: inverse ? (back ?? paper) : front,
    background: inverse ? (front ?? ink) : back,
    bold: cell.isBold() !== 0,
    dim: cell.isDim() !== 0,
  };
}

/** A colour of the palette of 256 (6 × 6 × 6 colours from 16 on, then greys), or an RGB colour. */
function colourOf(value: number, isRgb: boolean): string {
  const hex = (red: number, green: number, blue: number) =>
    `#${[red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
  if (isRgb) return hex(value >> 16, (value >> 8) & 0xff, value & 0xff);
  if (value < 16) return named[value] ?? ink;
  if (value > 231)
    return hex(...(Array(3).fill(8 + (value - 232) * 10) as [number, number, number]));
  const step = (part: number) => (part === 0 ? 0 : 55 + part * 40);
  const at = value - 16;
  return hex(step(Math.floor(at / 36)), step(Math.floor(at / 6) % 6), step(at % 6));
}

function isSameStyle(one: CellStyle, other: CellStyle): boolean {
  return (
    one.colour === other.colour &&
    one.background === other.background &&
    one.bold === other.bold &&
    one.dim === other.dim
  );
}

/** Draws screens below each other, each in a frame with its title and without blank rows at its end. */
export function drawSvg(
  screens: readonly { readonly title: string; readonly rows: readonly (readonly Run[])[] }[],
  columns: number,
): string {
  const width = Math.ceil(columns * size.columnPx + 2 * size.marginPx);
  let top = 0;
  const frames = screens.map(({ title, rows }) => {
    const shown = rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1);
    const height = Math.ceil(shown.length * size.rowPx + 2.5 * size.marginPx + size.rowPx);
    const frame = `<g transform="translate(0 ${top})">${frameOf(title, width, height)}${shown.map(rowOf).join('')}</g>`;
    top += height + size.marginPx;
    return frame;
  });
  const height = top - size.marginPx;
  const about = screens.map(({ title }) => title).join('; ');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(about)}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${size.fontPx}">\n${frames.join('\n')}\n</svg>\n`;
}

function frameOf(title: string, width: number, height: number): string {
  return `<rect width="${width}" height="${height}" rx="8" fill="${paper}"/><text x="${width / 2}" y="20" text-anchor="middle" font-size="12" fill="#7f848e">${escaped(title)}</text>`;
}

function rowOf(runs: readonly Run[], row: number): string {
  const top = 2 * size.marginPx + row * size.rowPx;
  return runs
    .map(({ column, width, text, colour, background, bold, dim }) => {
      const left = round(size.marginPx + column * size.columnPx);
      const wide = round(width * size.columnPx);
      const behind = background
        ? `<rect x="${left}" y="${top}" width="${wide}" height="${size.rowPx}" fill="${background}"/>`
        : '';
      if (text.trim() === '') return behind;
      const style = `${bold ? ' font-weight="bold"' : ''}${dim ? ' opacity="0.6"' : ''}`;
      return `${behind}<text x="${left}" y="${top + 14}" textLength="${wide}" lengthAdjust="spacingAndGlyphs" xml:space="preserve" fill="${colour ?? ink}"${style}>${escaped(text)}</text>`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
