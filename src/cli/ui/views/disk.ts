// Disk usage as a table and as JSON. Pure.
import type { DiskUse } from '../../../app/disk-use/uses.ts';
import { oneLine } from '../../../printable.ts';
import { formatBytes } from '../bytes.ts';
import { table } from '../table.ts';

export function diskText(uses: readonly DiskUse[]): string[] {
  const rows = uses.map(({ kind, name, bytes, about, take }) => [
    kind.toUpperCase(),
    bytes === undefined ? '?' : formatBytes(bytes),
    take ? 'yes' : '',
    oneLine(about === '' ? name : `${name} (${about})`),
  ]);
  const safe = uses.filter(({ take }) => take);
  return [
    ...table(['KIND', 'SIZE', 'SAFE', 'WHAT'], rows),
    '',
    `Total: ${formatBytes(sum(uses))}, safe to delete: ${formatBytes(sum(safe))}`,
  ];
}

export function diskJson(
  uses: readonly DiskUse[],
  taken: readonly { readonly use: DiskUse; readonly deleted: boolean }[],
): Record<string, unknown> {
  const names = (wanted: boolean) =>
    taken.filter(({ deleted }) => deleted === wanted).map(({ use }) => use.name);
  return {
    found: uses.map(({ kind, name, bytes, about, take }) => ({
      kind,
      name,
      size_bytes: bytes ?? null,
      about,
      safe: take !== undefined,
    })),
    total_bytes: sum(uses),
    safe_bytes: sum(uses.filter(({ take }) => take)),
    cleaned: names(true),
    failed: names(false),
  };
}

export function sum(uses: readonly DiskUse[]): number {
  return uses.reduce((total, { bytes }) => total + (bytes ?? 0), 0);
}
