// `coi top` as text and JSON. Pure.
import type { Snapshot } from '../../../monitor/snapshot.ts';
import { oneLine } from '../../../printable.ts';
import type { Style } from '../style.ts';
import { table } from '../table.ts';

export type TopOrder = 'cpu' | 'mem' | 'disk' | 'net';

export interface TopView {
  readonly sort: TopOrder;
  readonly processes: boolean;
}

const processesMax = 10;

export function topText(
  sessions: readonly Snapshot[],
  { sort, processes }: TopView,
  style: Style,
): string[] {
  const sorted = sortSessions(sessions, sort);
  if (sorted.length === 0) return ['No running sessions'];
  const lines = table(
    ['CONTAINER', 'CPU%', 'MEMORY', 'PROCS', 'READ/S', 'WRITE/S', 'SENT/S', 'RECEIVED/S', 'STATE'],
    sorted.map((session) => [
      session.container_name,
      session.resources.cpu_percent.toFixed(1),
      `${session.resources.memory_mb.toFixed(0)} MB`,
      String(session.processes.total_count),
      `${session.filesystem.read_mb_per_sec.toFixed(1)} MB`,
      `${session.filesystem.write_mb_per_sec.toFixed(1)} MB`,
      `${session.network.sent_mb_per_sec.toFixed(2)} MB`,
      `${session.network.received_mb_per_sec.toFixed(2)} MB`,
      session.paused ? 'paused' : session.watched ? 'watched' : '-',
    ]),
  );
  return processes
    ? [...lines, ...sorted.flatMap((session) => processLines(session, sort, style))]
    : lines;
}

export function topJson(sessions: readonly Snapshot[], { sort, processes }: TopView): unknown {
  return sortSessions(sessions, sort).map((session) => ({
    container: session.container_name,
    paused: session.paused,
    watched: session.watched,
    cpu_percent: session.resources.cpu_percent,
    memory_mb: session.resources.memory_mb,
    memory_limit_mb: session.resources.memory_limit_mb,
    processes: session.processes.total_count,
    read_mb_per_sec: session.filesystem.read_mb_per_sec,
    write_mb_per_sec: session.filesystem.write_mb_per_sec,
    sent_mb_per_sec: session.network.sent_mb_per_sec,
    received_mb_per_sec: session.network.received_mb_per_sec,
    ...(processes ? { process_list: session.processes.processes } : {}),
  }));
}

function processLines(
  { container_name: name, processes }: Snapshot,
  sort: TopOrder,
  style: Style,
): string[] {
  const shown = processes.processes
    .toSorted((one, other) =>
      sort === 'mem' ? other.memory_mb - one.memory_mb : other.cpu_percent - one.cpu_percent,
    )
    .slice(0, processesMax);
  return [
    '',
    style.bold(name),
    ...table(
      ['PID', 'USER', 'CPU%', 'MEMORY', 'COMMAND'],
      shown.map(({ pid, user, cpu_percent: cpu, memory_mb: memory, command }) => [
        String(pid),
        user,
        cpu.toFixed(1),
        `${memory.toFixed(0)} MB`,
        oneLine(command).slice(0, 100),
      ]),
    ),
  ];
}

function sortSessions(sessions: readonly Snapshot[], sort: TopOrder): Snapshot[] {
  const value: Readonly<Record<TopOrder, (session: Snapshot) => number>> = {
    cpu: ({ resources }) => resources.cpu_percent,
    mem: ({ resources }) => resources.memory_mb,
    disk: ({ filesystem }) => filesystem.read_mb_per_sec + filesystem.write_mb_per_sec,
    net: ({ network }) => network.sent_mb_per_sec + network.received_mb_per_sec,
  };
  return sessions.toSorted(
    (one, other) =>
      value[sort](other) - value[sort](one) || (one.container_name < other.container_name ? -1 : 1),
  );
}
