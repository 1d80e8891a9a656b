// Sessions for the tests of the overview.
import type { Activity, Ask } from '../../attention/activity.ts';
import { drawn, emptyOverview, type Overview, type Row, settled } from './model.ts';

export const nowMs = 1_800_000_000_000;

export function row(called: string, activity: Activity, more: Partial<Row> = {}): Row {
  return {
    id: `id of ${called}`,
    container: `coi-${called}-1`,
    called,
    tool: 'claude',
    workspace: `/home/ada/${called}`,
    activity,
    unseen: false,
    attached: false,
    ...more,
  };
}

export function permission(id: string, more: Partial<Ask> = {}): Ask {
  const options = [
    { id: 'yes', label: 'yes' },
    { id: 'no', label: 'no' },
  ];
  return { id, kind: 'permission', title: 'Bash', body: 'make clean', options, ...more };
}

export function question(id: string, more: Partial<Ask> = {}): Ask {
  const options = [
    { id: '1', label: 'Red' },
    { id: '2', label: 'Blue', note: 'as now' },
  ];
  return { id, kind: 'question', title: 'Which colour?', options, ...more };
}

export function asking(called: string, asks: readonly Ask[], sinceMs = nowMs - 60_000): Row {
  return row(called, { kind: 'asks', sinceMs, asks });
}

/** Shown to its end, and for long enough to be answered. */
export function overviewOf(rows: readonly Row[], more: Partial<Overview> = {}): Overview {
  const begun = { ...emptyOverview, rows, ...more };
  return shownToEnd(settled(emptyOverview, begun, nowMs - 60_000));
}

export function shownToEnd(overview: Overview): Overview {
  return drawn(overview, { scroll: overview.scroll, hasEnd: true });
}
