// The overview as lines of a screen: exactly as many as it has, none wider than it. Pure.
import { activityWord, asksLine } from '../../attention/activity-text.ts';
import { oneLine } from '../../printable.ts';
import { ageText } from '../ui/age-text.ts';
import { abbreviateHome } from '../ui/home-path.ts';
import { displayWidth, takeColumns, truncate, truncatePath } from '../ui/text-width.ts';
import { detailsOf } from './details.ts';
import { footerOf } from './footer.ts';
import type { FrameFacts } from './frame-facts.ts';
import {
  type Overview,
  type Row,
  type ShownDetails,
  selectedRow,
  sinceMsOf,
  visibleRows,
  waitsForUser,
} from './model.ts';
import { padded, truncatedName } from './text-wrap.ts';

export interface Frame {
  readonly lines: readonly string[];
  /** Of the cursor, from 0; undefined if it is hidden. */
  readonly cursor: { readonly row: number; readonly column: number } | undefined;
  /** Undefined if there are no details. */
  readonly shown?: ShownDetails | undefined;
}

const sizeMin = { columns: 20, rows: 5 };
const statusWidth = 9;
const ageWidth = 4;

export function frameOf(overview: Overview, facts: FrameFacts): Frame {
  const { columns, rows } = facts;
  if (columns < sizeMin.columns || rows < sizeMin.rows)
    return { lines: filled([takeColumns('too small', columns)], rows), cursor: undefined };
  const footer = footerOf(overview, facts);
  const body = rows - 1 - footer.lines.length;
  const content: Body =
    overview.mode.kind === 'help'
      ? { lines: helpLines(overview, facts, body) }
      : bodyOf(overview, facts, body);
  const cursor = footer.column === undefined ? undefined : { row: rows - 1, column: footer.column };
  return {
    lines: [headerOf(overview, facts), ...filled(content.lines, body), ...footer.lines],
    cursor,
    shown: content.shown,
  };
}

function filled(lines: readonly string[], rows: number): readonly string[] {
  const missing = Math.max(0, rows - lines.length);
  return [...lines.slice(0, rows), ...Array<string>(missing).fill('')];
}

interface Body {
  readonly lines: readonly string[];
  readonly shown?: ShownDetails;
}

/** The list has up to half of the screen, so that the question of the selected session can be read. */
function bodyOf(overview: Overview, facts: FrameFacts, body: number): Body {
  const row = selectedRow(overview);
  const { lines, selected } = listLines(overview, facts);
  const height = Math.min(lines.length, Math.max(Math.floor(body / 2), 3));
  const begin = Math.min(
    Math.max(0, selected - Math.floor(height / 2)),
    Math.max(0, lines.length - height),
  );
  const list = lines.slice(begin, begin + height);
  if (!row) return { lines: list };
  const details = detailsOf(overview, row, facts, body - list.length);
  return { lines: [...list, ...details.lines], shown: details.shown };
}

function headerOf(overview: Overview, { columns, style }: FrameFacts): string {
  const rows = visibleRows(overview);
  const count = (is: (row: Row) => boolean) => rows.filter(is).length;
  const parts = [
    [count(({ activity }) => activity.kind === 'asks'), 'asking'],
    [count(({ activity, unseen }) => activity.kind === 'idle' && unseen), 'finished'],
    [count(({ activity }) => activity.kind === 'working'), 'working'],
    [rows.length, rows.length === 1 ? 'session' : 'sessions'],
  ] as const;
  const counts = parts.flatMap(([number, word]) => (number > 0 ? [`${number} ${word}`] : []));
  const filter = overview.filter === '' ? '' : `  filter: ${oneLine(overview.filter)}`;
  return style.bold(truncate(`${counts.join(' · ') || 'No sessions'}${filter}`, columns));
}

function listLines(overview: Overview, facts: FrameFacts) {
  const rows = visibleRows(overview);
  const current = selectedRow(overview);
  const nameMax = Math.max(8, Math.floor(facts.columns / 3));
  const names = rows.map(({ called }) => displayWidth(oneLine(called)));
  const width = Math.min(Math.max(4, ...names), nameMax);
  const lines: string[] = [];
  let selected = 0;
  let group: string | undefined;
  for (const row of rows) {
    if (overview.grouped && row.workspace !== group) lines.push(groupLine(row, facts));
    group = row.workspace;
    if (row === current) selected = lines.length;
    lines.push(rowLine(overview, row, row === current, width, facts));
  }
  return { lines: rows.length > 0 ? lines : [nothingLine(overview, facts)], selected };
}

function groupLine({ workspace }: Row, { columns, home, style }: FrameFacts): string {
  return style.dim(truncatePath(oneLine(abbreviateHome(workspace, home)), columns));
}

function nothingLine({ filter }: Overview, { columns }: FrameFacts): string {
  const text =
    filter === ''
      ? 'No sessions. Run `coi shell` in a project to start one.'
      : 'No session matches the filter. Esc clears it.';
  return truncate(text, columns);
}

function rowLine(
  overview: Overview,
  row: Row,
  isSelected: boolean,
  width: number,
  { columns, nowMs, home, style }: FrameFacts,
): string {
  const status = overview.busy.get(row.id) ?? activityWord(row.activity, row.unseen);
  const sinceMs = sinceMsOf(row);
  const age = sinceMs === undefined ? '' : ageText(nowMs - sinceMs);
  const begin = [
    isSelected ? '>' : ' ',
    padded(truncatedName(oneLine(row.called), width), width),
    padded(truncate(status, statusWidth), statusWidth),
    age.padStart(ageWidth),
  ].join(' ');
  const room = columns - displayWidth(begin) - 2;
  const about = room > 0 ? `  ${truncate(oneLine(aboutOf(row, home)), room)}` : '';
  const line = takeColumns(`${begin}${about}`, columns);
  if (isSelected) return style.bold(line);
  return waitsForUser(row) ? style.yellow(line) : line;
}

function aboutOf({ activity, tool, workspace }: Row, home: string): string {
  const place = `${tool}  ${abbreviateHome(workspace, home)}`;
  switch (activity.kind) {
    case 'asks':
      return asksLine(activity);
    case 'idle':
      return activity.said ?? place;
    case 'paused':
      return activity.reason ?? place;
    default:
      return place;
  }
}

const help = [
  'j k  up down  select',
  'Tab           next session that waits for you',
  'Enter         attach; detach with Ctrl-b d to come back',
  '1-9  y n      answer the question',
  'a             answer with words or several choices',
  's             send a message',
  'i             interrupt what the agent does',
  'p             pause, or resume',
  'x             kill, after a question',
  'm             mark as seen',
  '/             filter; Esc clears it',
  'g             group by workspace',
  'PgUp PgDn     scroll the question',
  'Ctrl-l        draw again',
  'q             quit',
];

function helpLines(
  { scroll }: Overview,
  { columns, style }: FrameFacts,
  body: number,
): readonly string[] {
  const isLong = help.length >= body;
  const begin = isLong ? Math.min(scroll, help.length + 1 - body) : 0;
  const back = `${isLong ? 'Up, down: scroll. ' : ''}Any other key goes back.`;
  return [
    ...help.slice(begin, begin + body - 1).map((text) => truncate(text, columns)),
    style.dim(truncate(back, columns)),
  ];
}
