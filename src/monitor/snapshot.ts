// The output of `coi monitor --json`, in the old program's format, so that its scripts keep working.
import { agentUser } from '../guest-user.ts';
import { classifyAddress } from './addresses.ts';
import { isSuspicious } from './detectors/contacts.ts';
import { commandLine } from './programs.ts';
import { redacted, redactedEvidence } from './redact.ts';
import type { Change, Process, Sample } from './sample.ts';
import { isAtLeast, type Threat } from './threat.ts';

export interface Snapshot {
  readonly timestamp: string;
  readonly container_name: string;
  readonly container_ip: string;
  /** Whether coid monitors it continuously. */
  readonly watched: boolean;
  readonly paused: boolean;
  readonly network: {
    readonly active_connections: number;
    readonly suspicious_count: number;
    readonly sent_mb: number;
    readonly received_mb: number;
    readonly sent_mb_per_sec: number;
    readonly received_mb_per_sec: number;
    readonly connections: readonly SnapshotConnection[];
  };
  readonly processes: {
    readonly available: boolean;
    readonly total_count: number;
    readonly processes: readonly SnapshotProcess[];
  };
  readonly filesystem: {
    readonly read_mb_per_sec: number;
    readonly write_mb_per_sec: number;
  };
  readonly resources: {
    readonly cpu_time_seconds: number;
    /** 100 is one CPU. */
    readonly cpu_percent: number;
    readonly memory_mb: number;
    /** 0 if there is no limit. */
    readonly memory_limit_mb: number;
  };
  readonly threats: readonly SnapshotThreat[];
  readonly errors: readonly string[];
}

export interface SnapshotConnection {
  readonly protocol: string;
  readonly local: string;
  readonly remote: string;
  readonly state: string;
  readonly suspicious: boolean;
}

export interface SnapshotProcess {
  readonly pid: number;
  readonly ppid: number;
  readonly user: string;
  readonly command: string;
  readonly cpu_percent: number;
  readonly memory_mb: number;
}

export type SnapshotThreat = Pick<Threat, 'level' | 'category' | 'title' | 'description'> & {
  readonly evidence: unknown;
};

export interface SnapshotAbout {
  readonly watched: boolean;
  readonly paused: boolean;
  /** The host uid of the container's root. */
  readonly idmapBase: number;
  readonly threats: readonly Threat[];
}

const megabyte = 1024 * 1024;
/** The clock tick of /proc/<pid>/stat: 100 per second on all supported kernels. */
const tickMs = 10;
const rowsMax = 500;
const idsPerContainer = 65_536;

export function snapshotOf(
  now: Sample,
  before: Sample,
  change: Change,
  about: SnapshotAbout,
): Snapshot {
  const { elapsedMs } = change;
  const perSecond = (bytes: number) => round((bytes * 1000) / elapsedMs / megabyte);
  const remote = now.connections.filter(
    ({ remoteAddress }) => classifyAddress(remoteAddress) !== 'self',
  );
  const connections = remote.slice(0, rowsMax).map((connection) => ({
    protocol: connection.protocol,
    local: `${connection.localAddress}:${connection.localPort}`,
    remote: `${connection.remoteAddress}:${connection.remotePort}`,
    state: connection.state,
    suspicious: isSuspicious(connection, now),
  }));
  return {
    timestamp: now.time,
    container_name: now.container,
    container_ip: now.address,
    watched: about.watched,
    paused: about.paused,
    network: {
      active_connections: remote.length,
      suspicious_count: connections.filter(({ suspicious }) => suspicious).length,
      sent_mb: round(now.sentBytes / megabyte),
      received_mb: round(now.receivedBytes / megabyte),
      sent_mb_per_sec: perSecond(change.sentBytes),
      received_mb_per_sec: perSecond(change.receivedBytes),
      connections,
    },
    processes: {
      available: true,
      total_count: now.processCount,
      processes: processRows(now, before, elapsedMs, about.idmapBase),
    },
    filesystem: {
      read_mb_per_sec: perSecond(change.readBytes),
      write_mb_per_sec: perSecond(change.writtenBytes),
    },
    resources: {
      cpu_time_seconds: round(now.cpuNs / 1e9),
      cpu_percent: round(change.cpuShare * 100),
      memory_mb: round(now.memoryBytes / megabyte),
      memory_limit_mb: Number.isFinite(now.memoryLimitBytes)
        ? round(now.memoryLimitBytes / megabyte)
        : 0,
    },
    threats: about.threats.map(({ level, category, title, description, evidence }) => ({
      level,
      category,
      title: redacted(title),
      description: redacted(description),
      evidence: redactedEvidence(evidence),
    })),
    errors: now.errors.map(redacted),
  };
}

function processRows(
  now: Sample,
  before: Sample,
  elapsedMs: number,
  idmapBase: number,
): SnapshotProcess[] {
  const earlier = new Map(before.processes.map((task) => [task.pid, task]));
  const ticks = (task: Process) => {
    const known = earlier.get(task.pid);
    return known?.startTicks === task.startTicks ? task.cpuTicks - known.cpuTicks : task.cpuTicks;
  };
  return now.processes.slice(0, rowsMax).map((task) => ({
    pid: task.pid,
    ppid: task.ppid,
    user: userName(task.uid, idmapBase),
    command: redacted(commandLine(task)),
    cpu_percent: before === now ? 0 : round((Math.max(0, ticks(task)) * tickMs * 100) / elapsedMs),
    memory_mb: round(task.rssBytes / megabyte),
  }));
}

/** The name of a user that every image has, otherwise the number. `uid` is the host's. */
function userName(uid: number, idmapBase: number): string {
  const inside = uid - idmapBase;
  if (inside === 0) return 'root';
  // The only id of a container outside its own range is that of its user (`raw.idmap`).
  const isUsers = uid !== 0 && (inside < 0 || inside >= idsPerContainer);
  return inside === agentUser.uid || isUsers ? agentUser.name : String(inside);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Findings of the last minute, at least warnings, without duplicates. */
export function recentThreats(
  kept: readonly { readonly threat: Threat; readonly atMs: number }[],
  found: readonly Threat[],
  nowMs: number,
): { readonly threat: Threat; readonly atMs: number }[] {
  const all = new Map(
    kept
      .filter(({ atMs }) => nowMs - atMs < 60_000)
      .map((one) => [JSON.stringify([one.threat.title, one.threat.key]), one]),
  );
  for (const threat of found) {
    if (isAtLeast(threat.level, 'warning'))
      all.set(JSON.stringify([threat.title, threat.key]), { threat, atMs: nowMs });
  }
  return [...all.values()].slice(-100);
}
