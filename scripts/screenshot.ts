// Draws docs/screen.svg: the screen of a real `coi shell` with Claude Code, which talks to the provider of the tests.
// As root, on a host with coi-default: node scripts/screenshot.ts
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import xterm from '@xterm/headless';
import { key, makeAgentBed } from '../test/agents/talk.ts';
import { root } from './run.ts';

const size = { columns: 100, rows: 24 };
const cell = { width: 8.4, height: 18, margin: 14 };
const colours = { background: '#111827', text: '#e5e7eb' };
/** The first 16 of a terminal. */
const basic =
  '111827 ef4444 22c55e eab308 3b82f6 d946ef 06b6d4 e5e7eb 6b7280 f87171 4ade80 facc15 60a5fa e879f9 22d3ee ffffff'.split(
    ' ',
  );

await using agent = await makeAgentBed({
  tool: 'claude',
  ready: /bypass permissions on/,
  environment: ({ url }) => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: key,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }),
});
const screen = await agent.open();
screen.resize(size.columns, size.rows);
await agent.say(screen, 'run the tests and mend what fails');
const terminal = new xterm.Terminal({
  cols: size.columns,
  rows: size.rows,
  allowProposedApi: true,
});
await new Promise<void>((written) => terminal.write(screen.output(), written));
writeFileSync(join(root, 'docs/screen.svg'), svg(terminal));
await agent.bed.coi(['kill', '--all', '--force']);

function svg(shown: xterm.Terminal): string {
  const width = Math.ceil(size.columns * cell.width + 2 * cell.margin);
  const height = size.rows * cell.height + 2 * cell.margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    `<rect width="${width}" height="${height}" rx="8" fill="${colours.background}"/>`,
    ...Array.from({ length: size.rows }, (_, row) => rowOf(shown, row)).filter(Boolean),
    '</svg>',
    '',
  ].join('\n');
}

interface Run {
  readonly at: number;
  readonly colour: string;
  readonly bold: boolean;
  text: string;
}

/** Neighbours of one style are one piece of text, as wide as its cells whatever font is there. */
function rowOf(shown: xterm.Terminal, row: number): string {
  const line = shown.buffer.active.getLine(shown.buffer.active.baseY + row);
  const runs: Run[] = [];
  for (let column = 0; column < size.columns; column += 1) {
    const found = line?.getCell(column);
    if (!found || found.getWidth() === 0) continue;
    const [colour, bold] = [colourOf(found), found.isBold() !== 0];
    const last = runs.at(-1);
    const text = found.getChars() || ' ';
    if (last?.colour === colour && last.bold === bold) last.text += text;
    else runs.push({ at: column, colour, bold, text });
  }
  const y = cell.margin + (row + 0.75) * cell.height;
  return runs
    .filter(({ text }) => text.trim() !== '')
    .map(({ at, colour, bold, text }) => {
      const indent = text.length - text.trimStart().length;
      const x = (cell.margin + (at + indent) * cell.width).toFixed(1);
      const length = (text.trim().length * cell.width).toFixed(1);
      return `<text x="${x}" y="${y}" fill="${colour}"${bold ? ' font-weight="bold"' : ''} textLength="${length}" xml:space="preserve">${escaped(text.trim())}</text>`;
    })
    .join('');
}

function colourOf(found: xterm.IBufferCell): string {
  const value = found.getFgColor();
  if (found.isFgDefault()) return colours.text;
  if (found.isFgRGB()) return `#${value.toString(16).padStart(6, '0')}`;
  if (value < 16) return `#${basic[value]}`;
  if (value >= 232) return grey(8 + (value - 232) * 10);
  const steps = [0, 95, 135, 175, 215, 255];
  const parts = [36, 6, 1].map((part) => steps[Math.floor((value - 16) / part) % 6] ?? 0);
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function grey(level: number): string {
  return `#${level.toString(16).padStart(2, '0').repeat(3)}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
