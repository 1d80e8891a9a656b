// What a key does to the overview. Pure: effects are returned, not done.
import type { Ask } from '../../attention/activity.ts';
import { type Choice, isOption } from '../../attention/answers/choice.ts';
import type { Key, KeyName } from './keys.ts';
import { edited, newLine } from './line-edit.ts';
import {
  armedMs,
  isArmed,
  isOneChoice,
  type Mode,
  type Overview,
  openAsks,
  type Row,
  selectedRow,
  visibleRows,
  waitsForUser,
} from './model.ts';

export type Effect = { readonly kind: 'redraw' } | { readonly kind: 'suspend' } | ProgramEffect;

export type ProgramEffect =
  | { readonly kind: 'quit' }
  | { readonly kind: 'attach'; readonly row: Row }
  | SessionEffect;

/** Done to a session while the overview stays on the screen. */
export type SessionEffect =
  | { readonly kind: 'interrupt' | 'kill' | 'pause' | 'unfreeze' | 'seen'; readonly row: Row }
  | { readonly kind: 'send'; readonly row: Row; readonly text: string }
  /** `ask` is the id of the question that was on the screen. */
  | { readonly kind: 'answer'; readonly row: Row; readonly ask: string; readonly choice: Choice };

export interface Updated {
  readonly overview: Overview;
  readonly effect?: Effect;
}

const scrollLines = 3;

export function onKey(before: Overview, key: Key, nowMs: number): Updated {
  const overview = { ...before, notice: undefined };
  if (key.kind === 'named') {
    switch (key.name) {
      case 'ctrl-c':
        return overview.mode.kind === 'list' ? done(overview, { kind: 'quit' }) : toList(overview);
      case 'ctrl-l':
        return done(overview, { kind: 'redraw' });
      case 'ctrl-z':
        return done(overview, { kind: 'suspend' });
      default:
    }
  }
  switch (overview.mode.kind) {
    case 'list':
      return onListKey(overview, key, nowMs);
    case 'help':
      return onHelpKey(overview, key);
    case 'confirm-kill':
      return onConfirmKey(overview, overview.mode.row, key);
    default:
      return onLineKey(overview, overview.mode, key);
  }
}

function onListKey(overview: Overview, key: Key, nowMs: number): Updated {
  if (key.kind === 'paste') return problem(overview, 'Press s to send a text to a session.');
  if (key.kind === 'named') return onNamedKey(overview, key.name, nowMs);
  switch (key.text) {
    case 'q':
      return done(overview, { kind: 'quit' });
    case '?':
      return inMode({ ...overview, scroll: 0 }, { kind: 'help' });
    case '/':
      return inMode(overview, { kind: 'filter', line: newLine(overview.filter) });
    case 'g':
      return done({ ...overview, grouped: !overview.grouped });
    case 'j':
      return moved(overview, 1);
    case 'k':
      return moved(overview, -1);
    default:
      return onRow(overview, nowMs, (row) => onRowKey(overview, row, key.text, nowMs));
  }
}

/** Help may be longer than the screen. */
function onHelpKey(overview: Overview, key: Key): Updated {
  const isDown = key.kind === 'named' && ['down', 'pagedown'].includes(key.name);
  const isUp = key.kind === 'named' && ['up', 'pageup'].includes(key.name);
  if (isDown || isUp) return scrolled(overview, isDown ? scrollLines : -scrollLines);
  return toList({ ...overview, scroll: 0 });
}

function scrolled(overview: Overview, by: number): Updated {
  return done({ ...overview, scroll: Math.max(0, overview.scroll + by) });
}

function onNamedKey(overview: Overview, name: KeyName, nowMs: number): Updated {
  switch (name) {
    case 'enter':
      return onRow(overview, nowMs, (row) => done(overview, { kind: 'attach', row }));
    case 'down':
      return moved(overview, 1);
    case 'up':
      return moved(overview, -1);
    case 'home':
      return moved(overview, -Infinity);
    case 'end':
      return moved(overview, Infinity);
    case 'pagedown':
      return scrolled(overview, scrollLines);
    case 'pageup':
      return scrolled(overview, -scrollLines);
    case 'tab':
      return toNextWaiting(overview);
    case 'escape':
      return done({ ...overview, filter: '' });
    case 'ctrl-d':
      return done(overview, { kind: 'quit' });
    default:
      return done(overview);
  }
}

/** A key must not hit another session because the selected one is gone. */
function onRow(overview: Overview, nowMs: number, act: (row: Row) => Updated): Updated {
  const row = selectedRow(overview);
  if (!row) return done(overview);
  if (overview.movedMs !== undefined && nowMs - overview.movedMs < 2 * armedMs)
    return problem(overview, 'The selected session is gone: press the key again for this one.');
  return act(row);
}

function onRowKey(overview: Overview, row: Row, key: string, nowMs: number): Updated {
  if (!/^[saixpm1-9yn]$/.test(key)) return done(overview);
  const busy = overview.busy.get(row.id);
  if (busy !== undefined) return problem(overview, `${row.called} is busy: ${busy}.`);
  switch (key) {
    case 's':
      return inMode(overview, { kind: 'send', line: newLine(), row });
    case 'a':
      return beginAnswer(overview, row);
    case 'i':
      return row.activity.kind === 'working'
        ? done(overview, { kind: 'interrupt', row })
        : problem(overview, `${row.called} does not work.`);
    case 'x':
      return inMode(overview, { kind: 'confirm-kill', row });
    case 'p':
      return done(overview, { kind: row.activity.kind === 'paused' ? 'unfreeze' : 'pause', row });
    case 'm':
      return done(overview, { kind: 'seen', row });
    default:
      return answerByKey(overview, row, key, nowMs);
  }
}

/** Why a question cannot be answered from here. */
function noAnswer(row: Row, [ask]: readonly Ask[]): string | undefined {
  if (!ask) return `${row.called} asks nothing.`;
  if (ask.kind === 'dialog') return 'Only its terminal can answer this dialog: press Enter.';
  return undefined;
}

/** A number is the place of an option; `y` and `n` are as for `coi answer`. */
function answerByKey(overview: Overview, row: Row, key: string, nowMs: number): Updated {
  const asks = openAsks(row);
  const [ask] = asks;
  const why = noAnswer(row, asks);
  if (why !== undefined || !ask) return problem(overview, why ?? '');
  if (overview.seen?.hasEnd !== true)
    return problem(overview, 'The question goes on below: press PgDn to read it to its end.');
  if (!isArmed(overview, nowMs))
    return problem(overview, 'The question has just appeared: read it, then press the key again.');
  if (!isOneChoice(asks)) return problem(overview, 'Press a to answer: it takes several choices.');
  const words = key === 'y' ? 'yes' : key === 'n' ? 'no' : ask.options[Number(key) - 1]?.id;
  if (words === undefined || (ask.kind === 'question' && /^[yn]$/.test(key)))
    return problem(overview, `The question has no option ${key}.`);
  return done(overview, { kind: 'answer', row, ask: ask.id, choice: { words: [words] } });
}

function beginAnswer(overview: Overview, row: Row): Updated {
  const asks = openAsks(row);
  const why = noAnswer(row, asks);
  if (why !== undefined) return problem(overview, why);
  return inMode(overview, { kind: 'answer', line: newLine(), row, asks, given: [] });
}

function moved(overview: Overview, by: number): Updated {
  const rows = visibleRows(overview);
  const at = rows.findIndex(({ id }) => id === selectedRow(overview)?.id);
  return select(overview, rows[Math.min(Math.max(at + by, 0), rows.length - 1)]);
}

function toNextWaiting(overview: Overview): Updated {
  const rows = visibleRows(overview);
  const at = rows.findIndex(({ id }) => id === selectedRow(overview)?.id);
  const next = [...rows.slice(at + 1), ...rows.slice(0, at + 1)].find(waitsForUser);
  return next ? select(overview, next) : problem(overview, 'No session waits for you.');
}

function select(overview: Overview, row: Row | undefined): Updated {
  return done(row ? { ...overview, selected: row.id, movedMs: undefined } : overview);
}

function onConfirmKey(overview: Overview, row: Row, key: Key): Updated {
  const isYes = key.kind === 'text' && key.text === 'y';
  return { ...toList(overview), ...(isYes && { effect: { kind: 'kill', row } }) };
}

type LineMode = Extract<Mode, { readonly kind: 'filter' | 'send' | 'answer' }>;

function onLineKey(overview: Overview, mode: LineMode, key: Key): Updated {
  if (key.kind === 'named' && key.name === 'escape') return toList(overview);
  if (key.kind === 'named' && key.name === 'enter') return onLineEnd(overview, mode);
  const line = edited(mode.line, key);
  const filter = mode.kind === 'filter' ? line.text : overview.filter;
  return inMode({ ...overview, filter }, { ...mode, line });
}

function onLineEnd(overview: Overview, mode: LineMode): Updated {
  const list = toList(overview).overview;
  const { text } = mode.line;
  if (mode.kind === 'filter' || text.trim() === '') return done(list);
  if (mode.kind === 'send') return done(list, { kind: 'send', row: mode.row, text });
  const { asks, row } = mode;
  const [ask] = asks;
  if (!ask) return done(list);
  if (asks.length === 1 && ask.kind === 'question' && !isOption(ask, text))
    return done(list, { kind: 'answer', row, ask: ask.id, choice: { words: [], text } });
  const given = [...mode.given, text.trim()];
  if (given.length < asks.length) return inMode(overview, { ...mode, line: newLine(), given });
  return done(list, { kind: 'answer', row, ask: ask.id, choice: { words: given } });
}

function done(overview: Overview, effect?: Effect): Updated {
  return { overview, ...(effect && { effect }) };
}

function inMode(overview: Overview, mode: Mode): Updated {
  return { overview: { ...overview, mode } };
}

function toList(overview: Overview): Updated {
  return inMode(overview, { kind: 'list' });
}

function problem(overview: Overview, text: string): Updated {
  return { overview: { ...overview, notice: { text, isProblem: true } } };
}
