// `coi monitor` as text, with the predecessor's sections. Pure.
import type { Snapshot, SnapshotThreat } from '../../../monitor/snapshot.ts';
import { oneLine } from '../../../printable.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

const rowsMax = 20;

export function monitorText(snapshot: Snapshot, style: Style): string[] {
  const { network, processes, filesystem, resources, threats, errors } = snapshot;
  const state = [
    snapshot.paused ? style.red('PAUSED') : '',
    snapshot.watched ? 'watched' : 'not watched ([monitoring] enabled = true watches new sessions)',
  ].filter(Boolean);
  const memoryLimit = resources.memory_limit_mb > 0 ? ` of ${resources.memory_limit_mb} MB` : '';
  return [
    style.bold(`Container: ${snapshot.container_name} (${snapshot.container_ip})`),
    `Time: ${snapshot.timestamp}   ${state.join(', ')}`,
    ...section(
      'THREATS',
      style,
      threats.length === 0 ? ['none'] : threats.map((threat) => threatLine(threat, style)),
    ),
    ...section('NETWORK', style, [
      `Connections: ${network.active_connections} (${network.suspicious_count} suspicious)   Sent: ${network.sent_mb} MB (${network.sent_mb_per_sec} MB/s)   Received: ${network.received_mb} MB (${network.received_mb_per_sec} MB/s)`,
      ...rows(
        ['PROTOCOL', 'LOCAL', 'REMOTE', 'STATE'],
        network.connections.map(({ protocol, local, remote, state: connection, suspicious }) => [
          protocol,
          local,
          suspicious ? `${remote} !` : remote,
          connection,
        ]),
      ),
    ]),
    ...section('PROCESSES', style, [
      `Total: ${processes.total_count}`,
      ...rows(
        ['PID', 'PPID', 'USER', 'CPU%', 'MEMORY', 'COMMAND'],
        processes.processes
          .toSorted(
            (one, other) => other.cpu_percent - one.cpu_percent || other.memory_mb - one.memory_mb,
          )
          .map(({ pid, ppid, user, cpu_percent: cpu, memory_mb: memory, command }) => [
            String(pid),
            String(ppid),
            user,
            cpu.toFixed(1),
            `${memory.toFixed(1)} MB`,
            oneLine(command).slice(0, 100),
          ]),
      ),
    ]),
    ...section('FILESYSTEM', style, [
      `Read: ${filesystem.read_mb_per_sec} MB/s   Written: ${filesystem.write_mb_per_sec} MB/s`,
    ]),
    ...section('RESOURCES', style, [
      `CPU: ${resources.cpu_percent} % (${resources.cpu_time_seconds} s in all)   Memory: ${resources.memory_mb} MB${memoryLimit}`,
    ]),
    ...(errors.length === 0 ? [] : section('ERRORS', style, errors.map(oneLine))),
  ];
}

function section(heading: string, style: Style, lines: readonly string[]): string[] {
  return ['', style.bold(heading), ...lines.map((line) => `  ${line}`)];
}

function rows(headers: readonly string[], cells: readonly (readonly string[])[]): string[] {
  if (cells.length === 0) return [];
  const more = cells.length > rowsMax ? [`… and ${cells.length - rowsMax} more`] : [];
  return [...table(headers, cells.slice(0, rowsMax)), ...more];
}

function threatLine({ level, title, description }: SnapshotThreat, style: Style): string {
  const word = level.toUpperCase();
  const colour = level === 'critical' || level === 'high' ? style.red : style.yellow;
  return `${colour(word)} ${oneLine(title)}: ${oneLine(description)}`;
}
