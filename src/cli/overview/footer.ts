// The last lines of the overview: keys, a line of input, or what has happened. Pure.
import type { Ask } from '../../attention/activity.ts';
import { oneLine } from '../../printable.ts';
import { displayWidth, takeColumns, truncate } from '../ui/text-width.ts';
import type { FrameFacts } from './frame-facts.ts';
import { isArmed, isOneChoice, type Line, type Overview, openAsks, selectedRow } from './model.ts';
import { endOf, wrap } from './text-wrap.ts';

const noticeLinesMax = 3;

interface Footer {
  readonly lines: readonly string[];
  /** Of the cursor, in the last line. */
  readonly column?: number;
}

export function footerOf(overview: Overview, facts: FrameFacts): Footer {
  const { columns, style } = facts;
  const { mode, notice } = overview;
  switch (mode.kind) {
    case 'filter':
      return inputLine('/', mode.line, columns);
    case 'send':
      return inputLine(`Send to ${mode.row.called}: `, mode.line, columns);
    case 'answer': {
      const { asks, given, row } = mode;
      const place = asks.length > 1 ? ` ${given.length + 1} of ${asks.length}` : '';
      return inputLine(`Answer${place} to ${row.called}: `, mode.line, columns);
    }
    case 'confirm-kill': {
      const question = `Kill ${mode.row.called}? Its conversation is saved. [y/N]`;
      return { lines: [style.yellow(truncate(oneLine(question), columns))] };
    }
    default:
  }
  if (notice) {
    const lines = wrap(oneLine(notice.text), columns).slice(0, noticeLinesMax);
    return { lines: lines.map(notice.isProblem ? style.red : style.green) };
  }
  return { lines: [style.dim(truncate(keysLine(overview, facts.nowMs), columns))] };
}

function keysLine(overview: Overview, nowMs: number): string {
  const row = selectedRow(overview);
  const asks = row ? openAsks(row) : [];
  const answer = isArmed(overview, nowMs) ? answerKeys(asks) : [];
  const keys = ['Enter attach', 'Tab next', 's send', '/ filter', 'q quit'];
  return ['? help', ...answer, ...(row ? keys : ['q quit'])].join('  ');
}

function answerKeys(asks: readonly Ask[]): readonly string[] {
  const [ask] = asks;
  if (!ask || ask.kind === 'dialog') return [];
  if (!isOneChoice(asks)) return ['a answer'];
  return [ask.kind === 'question' ? '1-9 answer' : '1-9 y n answer'];
}

/** The part around the cursor, if the line is too long. */
function inputLine(label: string, { text, cursor }: Line, columns: number): Footer {
  const begin = truncate(oneLine(label), Math.floor(columns / 2));
  const room = columns - displayWidth(begin) - 1;
  const characters = [...text];
  const before = endOf(characters.slice(0, cursor).join(''), room);
  const after = takeColumns(characters.slice(cursor).join(''), room - displayWidth(before));
  return {
    lines: [`${begin}${before}${after}`],
    column: displayWidth(begin) + displayWidth(before),
  };
}
