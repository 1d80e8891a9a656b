// `coi container list` and `info` as text. Pure.
import type { Instance, InstanceFull, InstanceState, Snapshot } from '../../../incus/shapes.ts';
import { keys } from '../../../instance-keys.ts';
import { oneLine } from '../../../printable.ts';
import { table } from '../table.ts';

export function containerListText(instances: readonly InstanceFull[]): string[] {
  const rows = instances.map(({ name, status, state, ephemeral, snapshots }) => [
    name,
    status.toUpperCase(),
    address(state),
    ephemeral ? 'CONTAINER (EPHEMERAL)' : 'CONTAINER',
    String(snapshots?.length ?? 0),
  ]);
  return table(['NAME', 'STATE', 'IPV4', 'TYPE', 'SNAPSHOTS'], rows);
}

export function containerInfoText(
  instance: Instance & { state: InstanceState; snapshots: readonly Snapshot[] },
): string[] {
  const { state, snapshots } = instance;
  const rows: [string, string][] = [
    ['Name', instance.name],
    ['Status', instance.status],
    ['Type', instance.ephemeral ? 'container (ephemeral)' : 'container'],
    ['Created', instance.created_at],
    ['Image', instance.config['image.description'] ?? ''],
    ['IPv4', address(state)],
    ['PID', state.pid > 0 ? String(state.pid) : ''],
    ['Processes', state.processes > 0 ? String(state.processes) : ''],
    ['Memory', state.memory.usage > 0 ? `${(state.memory.usage / 2 ** 20).toFixed(1)} MiB` : ''],
    ['Workspace', instance.config[keys.workspace] ?? ''],
    ['Snapshots', snapshots.map(({ name }) => name).join(', ')],
  ];
  return rows.flatMap(([label, value]) => (value ? [`${label}: ${oneLine(value)}`] : []));
}

function address(state: InstanceState | null): string {
  return Object.entries(state?.network ?? {})
    .filter(([device]) => device !== 'lo')
    .flatMap(([, { addresses }]) => addresses)
    .filter(({ family, scope }) => family === 'inet' && scope === 'global')
    .map((one) => one.address)
    .slice(0, 1)
    .join('');
}
