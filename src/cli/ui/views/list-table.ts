// `coi list` on a terminal: one line per session. Pure.
import { activityWord, asksLine } from '../../../attention/activity-text.ts';
import { oneLine } from '../../../printable.ts';
import type { ListedContainer, SavedRow, SessionList } from '../../../session/record/listing.ts';
import { ageText } from '../age-text.ts';
import { abbreviateHome } from '../home-path.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';
import { displayWidth, truncate, truncatePath } from '../text-width.ts';
import { sizeText } from './changes.ts';

export interface TableFacts {
  readonly nowMs: number;
  readonly home: string;
  readonly columns: number;
  readonly style: Style;
}

interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** On a narrow terminal the column with the highest number is left out first; 0: never. */
  readonly dropOrder: number;
  /** Shortens cells to the columns that the others leave. */
  readonly fit?: (text: string, columns: number) => string;
}

const gap = 2;
const flexibleMin = 12;
const shortIdLength = 8;
const uuidLength = 36;

export function listTable({ status, containers, saved }: SessionList, facts: TableFacts): string[] {
  const of = status === undefined ? '' : `${status.toLowerCase()} `;
  const sessions =
    containers.length > 0
      ? fitColumns(sessionColumns(containers, facts), containers, facts)
      : [`No ${of}sessions.${status === undefined ? ' `coi shell` starts one.' : ''}`];
  const alarms = containers.flatMap((container) =>
    container.security === undefined
      ? []
      : [facts.style.yellow(oneLine(`${displayName(container)}: ${container.security}`))],
  );
  return [...sessions, ...alarms, ...(saved ? ['', ...savedLines(saved, facts)] : [])];
}

function sessionColumns(
  containers: readonly ListedContainer[],
  { nowMs, home }: TableFacts,
): Column<ListedContainer>[] {
  const ofSeveral = containers.some(({ owner }) => owner !== undefined);
  return [
    { title: 'NAME', cell: displayName, dropOrder: 0 },
    { title: 'AGENT', cell: ({ session }) => agentName(session?.tool), dropOrder: 2 },
    { title: 'STATUS', cell: statusText, dropOrder: 0 },
    { title: 'SLOT', cell: ({ session }) => session?.slot.toString() ?? '-', dropOrder: 4 },
    { title: 'AGE', cell: ({ createdAt }) => ageText(nowMs - Date.parse(createdAt)), dropOrder: 3 },
    ...(ofSeveral
      ? [{ title: 'OWNER', cell: (row: ListedContainer) => String(row.owner ?? '-'), dropOrder: 1 }]
      : []),
    {
      title: 'WORKSPACE',
      cell: ({ workspace, tree }) => shortPath(tree?.repository ?? workspace, home),
      dropOrder: 1,
      fit: truncatePath,
    },
    ...(containers.some(({ tree }) => tree)
      ? [{ title: 'BRANCH', cell: branchOf, dropOrder: 0, fit: truncate }]
      : []),
    ...(containers.some(({ activity }) => activity?.kind === 'asks')
      ? [{ title: 'ASKS', cell: asksOf, dropOrder: 0, fit: truncate }]
      : []),
    { title: 'PERSISTENT', cell: ({ persistent }) => (persistent ? 'yes' : 'no'), dropOrder: 5 },
  ];
}

function branchOf({ tree }: ListedContainer): string {
  if (!tree) return '-';
  const size = sizeText(tree.changes);
  return size === undefined ? tree.branch : `${tree.branch} ${size}`;
}

function savedLines(saved: readonly SavedRow[], facts: TableFacts): string[] {
  if (saved.length === 0) return ['No saved sessions.'];
  const ids = shortIds(saved);
  const columns: Column<SavedRow>[] = [
    { title: 'SAVED', cell: ({ id }) => ids.get(id) ?? id, dropOrder: 0 },
    { title: 'AGENT', cell: ({ tool }) => agentName(tool), dropOrder: 2 },
    {
      title: 'AGE',
      cell: ({ savedAt }) => (savedAt ? ageText(facts.nowMs - savedAt.getTime()) : '-'),
      dropOrder: 3,
    },
    {
      title: 'WORKSPACE',
      cell: ({ workspace }) => truncatePath(shortPath(workspace, facts.home), facts.columns / 3),
      dropOrder: 1,
    },
    {
      title: 'FIRST WORDS',
      cell: ({ firstWords }) => oneLine(firstWords ?? ''),
      dropOrder: 4,
      fit: truncate,
    },
  ];
  return [
    ...fitColumns(columns, saved, facts),
    facts.style.dim('Resume one in its workspace: coi shell --resume=SAVED'),
  ];
}

/** The table with as many columns as fit; no line is wider than the terminal. */
function fitColumns<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  facts: TableFacts,
): string[] {
  let columns = all;
  for (;;) {
    const cellsOf = columns.map(({ title, cell, fit }) => ({
      fit,
      title,
      texts: rows.map((row) => oneLine(cell(row))),
    }));
    const width = (title: string, texts: readonly string[]) =>
      Math.max(displayWidth(title), ...texts.map(displayWidth));
    const fixed = cellsOf
      .filter(({ fit }) => !fit)
      .reduce((sum, { title, texts }) => sum + width(title, texts), gap * (columns.length - 1));
    const left = facts.columns - fixed;
    const flexible = cellsOf.filter(({ fit }) => fit);
    const leastSpared = columns.toSorted((a, b) => b.dropOrder - a.dropOrder)[0];
    if (left < flexible.length * flexibleMin && leastSpared && leastSpared.dropOrder > 0) {
      columns = columns.filter((column) => column !== leastSpared);
      continue;
    }
    const widths = shareWidth(
      left,
      flexible.map(({ title, texts }) => width(title, texts)),
    );
    const shown = cellsOf.map((column) => {
      const { fit, texts } = column;
      const columns = widths[flexible.indexOf(column)] ?? 0;
      return fit ? texts.map((text) => fit(text, Math.max(columns, 1))) : texts;
    });
    const [head = '', ...lines] = table(
      columns.map(({ title }) => title),
      rows.map((_, row) => shown.map((column) => column[row] ?? '')),
    ).map((line) => truncate(line, facts.columns));
    return [facts.style.dim(head), ...lines];
  }
}

/** The width of each column: what it wants, or an equal share of what the narrower ones leave. */
function shareWidth(total: number, wanted: readonly number[]): number[] {
  const widths = wanted.map(() => 0);
  const ascending = wanted.map((width, at) => ({ width, at })).sort((a, b) => a.width - b.width);
  let left = total;
  for (const [index, { width, at }] of ascending.entries()) {
    const share = Math.floor(left / (ascending.length - index));
    widths[at] = Math.min(width, share);
    left -= widths[at];
  }
  return widths;
}

function displayName({ called, name }: ListedContainer): string {
  return called ?? name;
}

/** Containers of `coi run` have no agent. */
function agentName(tool: string | undefined): string {
  return tool === undefined || tool === 'none' ? '-' : tool;
}

function statusText({ status, attached, activity, unseen }: ListedContainer): string {
  const word = activity ? activityWord(activity, unseen) : status.toLowerCase();
  return `${word}${attached ? ', attached' : ''}`;
}

function asksOf({ activity }: ListedContainer): string {
  return activity ? asksLine(activity) : '';
}

function shortPath(path: string | undefined, home: string): string {
  return path === undefined ? '-' : abbreviateHome(path, home);
}

/** Short prefixes of the ids if they are unique, else the full ids. */
function shortIds(saved: readonly SavedRow[]): ReadonlyMap<string, string> {
  const heads = Map.groupBy(saved, ({ id }) => id.slice(0, shortIdLength));
  return new Map(
    saved.map(({ id }) => {
      const head = id.slice(0, shortIdLength);
      const isShort = id.length === uuidLength && heads.get(head)?.length === 1;
      return [id, isShort ? head : id];
    }),
  );
}
