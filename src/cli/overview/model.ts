// What the overview shows. Pure.
import type { Activity, Ask } from '../../attention/activity.ts';
import { callOf } from '../../attention/answers/choice.ts';

/** A session. */
export interface Row {
  /** Of its container: another one may get its name. */
  readonly id: string;
  readonly container: string;
  /** What commands call it. */
  readonly called: string;
  readonly tool: string;
  readonly workspace: string;
  readonly activity: Activity;
  /** Its turn has ended, and the user has not looked at it since. */
  readonly unseen: boolean;
  readonly attached: boolean;
}

/** A line that the user types. */
export interface Line {
  readonly text: string;
  /** Characters before the cursor. */
  readonly cursor: number;
}

export type Mode =
  | { readonly kind: 'list' | 'help' }
  | { readonly kind: 'filter'; readonly line: Line }
  /** The session is that of the key press, whatever happens to the list. */
  | { readonly kind: 'send'; readonly line: Line; readonly row: Row }
  | {
      readonly kind: 'answer';
      readonly line: Line;
      readonly row: Row;
      /** The questions of one call, as they were when the key was pressed. */
      readonly asks: readonly Ask[];
      /** Choices for the first of them. */
      readonly given: readonly string[];
    }
  | { readonly kind: 'confirm-kill'; readonly row: Row };

export interface Notice {
  readonly text: string;
  readonly isProblem: boolean;
}

interface Seen {
  readonly key: string;
  readonly sinceMs: number;
  /** The end of the question was on the screen, with its options. */
  readonly hasEnd: boolean;
}

export interface Overview {
  readonly rows: readonly Row[];
  /** Id of the selected row. */
  readonly selected: string | undefined;
  readonly filter: string;
  readonly grouped: boolean;
  readonly mode: Mode;
  /** Until the next key. */
  readonly notice: Notice | undefined;
  /** What is being done to a session, by its id. */
  readonly busy: ReadonlyMap<string, string>;
  readonly preview: { readonly id: string; readonly lines: readonly string[] } | undefined;
  /** Lines of the details that are scrolled away. */
  readonly scroll: number;
  /** The selected session and its question, and since when the user sees them. */
  readonly seen: Seen | undefined;
  /** When the selected session was replaced, because it is gone. */
  readonly movedMs: number | undefined;
}

export const emptyOverview: Overview = {
  rows: [],
  selected: undefined,
  filter: '',
  grouped: false,
  mode: { kind: 'list' },
  notice: undefined,
  busy: new Map(),
  preview: undefined,
  scroll: 0,
  seen: undefined,
  movedMs: undefined,
};

/** A key that was meant for something else must not act on what has just appeared. */
export const armedMs = 500;

/** Who waits for the user comes first, the longest wait at the top. */
export function visibleRows({ rows, filter, grouped }: Overview): readonly Row[] {
  const words = filter.toLowerCase().split(/\s+/);
  const shown = rows.filter((row) => {
    const text = [row.called, row.container, row.tool, row.workspace, row.activity.kind].join(' ');
    return words.every((word) => text.toLowerCase().includes(word));
  });
  const sorted = shown.toSorted(compareRows);
  if (!grouped) return sorted;
  return [...Map.groupBy(sorted, ({ workspace }) => workspace).values()].flat();
}

function compareRows(one: Row, other: Row): number {
  return (
    urgency(one) - urgency(other) ||
    waitBegin(one) - waitBegin(other) ||
    (one.called < other.called ? -1 : one.called > other.called ? 1 : 0)
  );
}

const waiting = 2;

/** Lower is more urgent. */
function urgency({ activity, unseen }: Row): number {
  switch (activity.kind) {
    case 'asks':
      return 0;
    case 'idle':
      return unseen ? 1 : 4;
    case 'paused':
      return activity.by === 'monitor' ? 1 : 6;
    case 'exited':
      return waiting;
    case 'unknown':
      return 3;
    case 'working':
      return 5;
    default:
      return 7;
  }
}

export function waitsForUser(row: Row): boolean {
  return urgency(row) <= waiting;
}

/** Others keep their place whatever they do. */
function waitBegin(row: Row): number {
  if (!waitsForUser(row)) return 0;
  return sinceMsOf(row) ?? Number.MAX_SAFE_INTEGER;
}

export function sinceMsOf({ activity }: Row): number | undefined {
  return 'sinceMs' in activity ? activity.sinceMs : undefined;
}

export function selectedRow(overview: Overview): Row | undefined {
  const rows = visibleRows(overview);
  return rows.find(({ id }) => id === overview.selected) ?? rows[0];
}

/** The questions that an answer is for: those of the call that asks first. */
export function openAsks({ activity }: Row): readonly Ask[] {
  if (activity.kind !== 'asks') return [];
  const call = callOf(activity.asks[0]?.id ?? '');
  return activity.asks.filter(({ id }) => callOf(id) === call);
}

/** Whether one key can answer: there is one question, and it takes one option. */
export function isOneChoice(asks: readonly Ask[]): boolean {
  return asks.length === 1 && asks[0]?.multiple !== true;
}

/** To be called for each change before it is shown: the selection stays on its session, and keys wait for what is new. */
export function settled(before: Overview, overview: Overview, nowMs: number): Overview {
  const found = selectedRow(overview);
  const isGone =
    overview.selected !== undefined && overview.rows.every(({ id }) => id !== overview.selected);
  const row = isGone ? (neighbour(before, overview) ?? found) : found;
  const key = row ? `${row.id} ${openAsks(row).map(keyOfAsk).join(' ')}` : '';
  return {
    ...overview,
    selected: row?.id,
    scroll: row?.id === before.selected ? overview.scroll : 0,
    seen: key === overview.seen?.key ? overview.seen : { key, sinceMs: nowMs, hasEnd: false },
    movedMs: isGone ? nowMs : overview.movedMs,
  };
}

/** All that is shown of it: the agent could change the text under the same id. */
function keyOfAsk({ id, kind, title, body, options }: Ask): string {
  return JSON.stringify([id, kind, title, body, options]);
}

/** What is now at the place of the session that is gone. */
function neighbour(before: Overview, after: Overview): Row | undefined {
  const place = visibleRows(before).findIndex(({ id }) => id === after.selected);
  const rows = visibleRows(after);
  return rows[Math.min(Math.max(place, 0), rows.length - 1)];
}

/** What the details show of the selected session. */
export interface ShownDetails {
  /** Lines that are scrolled away. */
  readonly scroll: number;
  /** The end is on the screen. */
  readonly hasEnd: boolean;
}

/** To be called with what was drawn. */
export function drawn(overview: Overview, shown: ShownDetails | undefined): Overview {
  const { seen } = overview;
  if (!shown || !seen) return overview;
  return {
    ...overview,
    scroll: shown.scroll,
    seen: { ...seen, hasEnd: seen.hasEnd || shown.hasEnd },
  };
}

/** Whether the question has been on the screen for a moment, and all of it was shown, so that a key can answer it. */
export function isArmed({ seen }: Overview, nowMs: number): boolean {
  return seen?.hasEnd === true && nowMs - seen.sinceMs >= armedMs;
}
