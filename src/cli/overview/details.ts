// What the overview shows of the selected session: its question in full, its last words, and its screen. Pure.
import type { Ask } from '../../attention/activity.ts';
import { activityLine } from '../../attention/activity-text.ts';
import { oneLine } from '../../printable.ts';
import { abbreviateHome } from '../ui/home-path.ts';
import type { Style } from '../ui/style.ts';
import { takeColumns, truncate } from '../ui/text-width.ts';
import type { FrameFacts } from './frame-facts.ts';
import {
  isArmed,
  isOneChoice,
  type Overview,
  openAsks,
  type Row,
  type ShownDetails,
} from './model.ts';
import { wrap } from './text-wrap.ts';

const screenMin = 4;

interface Details {
  /** At most `room` lines. */
  readonly lines: readonly string[];
  readonly shown: ShownDetails;
}

export function detailsOf(overview: Overview, row: Row, facts: FrameFacts, room: number): Details {
  if (room < 1) return { lines: [], shown: { scroll: 0, hasEnd: false } };
  const left = room - 1;
  const text = textLines(overview, row, facts);
  const most = Math.max(0, text.length - left);
  const scroll = Math.min(overview.scroll, most);
  const shown = text.slice(scroll).slice(0, left);
  const gap = shown.length > 0 ? 1 : 0;
  const rest = left - shown.length - gap;
  const screen = rest >= screenMin ? screenLines(overview, row, facts, rest) : [];
  return {
    lines: [
      titleLine(row, facts, scroll < most),
      ...shown,
      ...(screen.length > 0 && gap > 0 ? [''] : []),
      ...screen,
    ],
    shown: { scroll, hasEnd: scroll === most && left > 0 },
  };
}

function titleLine(row: Row, { columns, home, style }: FrameFacts, hasMore: boolean): string {
  const { called, tool, workspace, attached } = row;
  const parts = [
    called,
    tool,
    abbreviateHome(workspace, home),
    ...(attached ? ['attached'] : []),
    ...(hasMore ? ['PgDn: more'] : []),
  ];
  const text = truncate(oneLine(`── ${parts.join(' · ')} `), columns);
  return style.dim(takeColumns(`${text}${'─'.repeat(columns)}`, columns));
}

function textLines(overview: Overview, row: Row, facts: FrameFacts): readonly string[] {
  const { activity } = row;
  const { columns, style } = facts;
  switch (activity.kind) {
    case 'asks': {
      const open = openAsks(row);
      const others = activity.asks.length - open.length;
      const isReady = isOneChoice(open) && isArmed(overview, facts.nowMs);
      return [
        ...open.flatMap((ask) => askLines(ask, columns, style, isReady)),
        ...(others > 0 ? [style.dim(truncate(`and ${others} more after it`, columns))] : []),
      ];
    }
    case 'idle':
      return activity.said === undefined
        ? []
        : activity.said.split('\n').flatMap((text) => wrap(oneLine(text), columns));
    case 'paused':
      return wrap(oneLine(activity.reason ?? 'Paused. Press p to resume it.'), columns);
    case 'working':
      return [];
    default:
      return [truncate(oneLine(activityLine(activity)), columns)];
  }
}

/** The numbers are dim until they can be pressed. */
function askLines(ask: Ask, columns: number, style: Style, isReady: boolean): readonly string[] {
  const { title, body = '', options, multiple, subAgent, truncated } = ask;
  const notes = [
    ...(multiple === true ? ['several may be chosen'] : []),
    ...(subAgent === true ? ['of a sub-agent'] : []),
  ];
  const head = notes.length === 0 ? title : `${title} (${notes.join(', ')})`;
  const number = isReady ? style.cyan : style.dim;
  return [
    ...wrap(oneLine(head), columns).map(style.bold),
    ...body.split('\n').flatMap((text) => (text === '' ? [] : wrap(`  ${oneLine(text)}`, columns))),
    ...(truncated === true ? ['  …'] : []),
    ...options.flatMap(({ label, note }, index) => {
      const key = `${index + 1}`;
      const text = note === undefined ? label : `${label}  (${note})`;
      return wrap(oneLine(`   ${text}`), columns - key.length).map((line, at) =>
        at === 0 ? ` ${number(key)}${line.slice(1)}` : `${' '.repeat(key.length)}${line}`,
      );
    }),
  ];
}

/** Its last lines. */
function screenLines(
  { preview }: Overview,
  row: Row,
  { columns, style }: FrameFacts,
  room: number,
): readonly string[] {
  if (preview?.id !== row.id) return [];
  return preview.lines
    .slice(-room)
    .map((text) => style.dim(takeColumns(`│ ${oneLine(text)}`, columns)));
}
