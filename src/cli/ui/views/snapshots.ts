// Snapshots as text and as JSON, in the predecessor's format. Pure.

import type { Snapshot } from '../../../incus/shapes.ts';
import { pluralize } from '../../../pluralize.ts';
import { oneLine } from '../../../printable.ts';
import { table } from '../table.ts';

export function snapshotsText(container: string, snapshots: readonly Snapshot[]): string[] {
  const count = snapshots.length;
  const rows = snapshots.map((one) => [
    oneLine(one.name),
    time(one.created_at),
    one.stateful ? 'yes' : 'no',
  ]);
  return [
    `Snapshots for ${container}:`,
    '',
    ...(count === 0 ? ['  (none)'] : table(['NAME', 'CREATED', 'STATEFUL'], rows)),
    '',
    `Total: ${pluralize(count, 'snapshot')}`,
  ];
}

export function snapshotText(container: string, one: Snapshot): string[] {
  const rows: [string, string | undefined][] = [
    ['Snapshot', one.name],
    ['Container', container],
    ['Created', time(one.created_at)],
    ['Expires', expires(one) && time(one.expires_at)],
    ['Stateful', one.stateful ? 'yes' : 'no'],
    ['Description', one.description],
  ];
  return rows.flatMap(([label, value]) => (value ? [`${label}: ${oneLine(value)}`] : []));
}

export function snapshotJson(one: Snapshot): Record<string, unknown> {
  return {
    name: one.name,
    created_at: one.created_at,
    ...(expires(one) ? { expires_at: one.expires_at } : {}),
    stateful: one.stateful,
    ...(one.description ? { description: one.description } : {}),
  };
}

/** Incus expresses "never" as the year 1. */
function expires({ expires_at }: Snapshot): string | undefined {
  return expires_at && !expires_at.startsWith('0001-') ? expires_at : undefined;
}

/** `2026-01-02 03:04:05` in the local time zone. */
function time(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return 'unknown';
  const two = (value: number) => String(value).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}
