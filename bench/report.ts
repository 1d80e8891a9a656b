// The bench's tables as text; the JSON file contains every sample.
import { table } from '../src/cli/ui/table.ts';
import type { NetworkRow } from './flows.ts';
import { type IdleResult, idleBudget } from './idle.ts';
import { median, type RowResult, type Verdict } from './measure.ts';

export function resultLines(results: readonly RowResult[], idle: IdleResult | undefined): string[] {
  const header = ['ROW', 'COI', 'FLOOR', 'INCUS', 'RATIO', 'BUDGET', 'VERDICT'];
  const lines = results.length === 0 ? [] : table(header, results.flatMap(rowsOf));
  if (idle === undefined) return lines;
  const { sessions, residentMiB, corePercent, within } = idle;
  const text = `coid with ${sessions} monitored, idle sessions: ${residentMiB.toFixed(0)} MiB, ${corePercent.toFixed(2)} % of a core`;
  return [
    ...lines,
    '',
    `${text} (budget ${idleBudget.residentMiB} MiB, ${idleBudget.corePercent} %): ${verdictText(within)}`,
  ];
}

export function networkLines(rows: readonly NetworkRow[]): string[] {
  if (rows.length === 0) return [];
  return table(
    ['GUARD', 'FIRST QUARTILE', 'BUDGET', 'VERDICT'],
    rows.map(({ title, value, budget, within }) => [title, value, budget, verdictText(within)]),
  );
}

function rowsOf({ title, samplesMs, verdicts, lost, failure }: RowResult): string[][] {
  if (failure !== undefined)
    return [[title, '-', '-', '-', '-', '-', `failed: ${failure.split('\n')[0]}`]];
  const times = (['coi', 'floor', 'incus'] as const).map((name) => seconds(samplesMs[name]));
  return verdicts.map((verdict, index) => [
    index > 0 ? '' : lost.length > 0 ? `${title} (${lost.length} lost)` : title,
    ...(index === 0 ? times : ['', '', '']),
    ...verdictCells(verdict),
  ]);
}

function verdictCells({ budget, ratio, within }: Verdict): string[] {
  const over = typeof budget.over === 'string' ? budget.over : `row ${budget.over.row}`;
  return [
    ratio === undefined ? '-' : ratio.toFixed(2),
    `${budget.ratio} x ${over}`,
    within === undefined ? 'not measured' : verdictText(within),
  ];
}

function seconds(samples: readonly number[] | undefined): string {
  const value = median(samples ?? []);
  return value === undefined ? '-' : `${(value / 1000).toFixed(3)} s`;
}

function verdictText(within: boolean): string {
  return within ? 'ok' : 'OVER';
}
