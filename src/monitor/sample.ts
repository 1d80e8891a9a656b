// A sample: the state of one container at one moment as plain data, the only input of detectors.
import type { ProcessReading } from '../host/proc/processes.ts';
import type { SocketReading } from '../host/proc/sockets.ts';
import type { Subnet } from './addresses.ts';

export type Process = ProcessReading;

/** A TCP or UDP socket with a remote peer. */
export interface Connection extends SocketReading {
  /** The process that holds it, if it was looked up. */
  readonly pid?: number;
}

/** Counters of the network guard for the container. */
export interface GuardCounters {
  readonly deniedPackets: number;
  /** The number of different names queried. */
  readonly dnsNames: number;
  /** Queried names since the last sample that look like encoded data. */
  readonly dnsLongNames: readonly string[];
  /** Denied destinations since the last sample. */
  readonly denied: readonly {
    readonly address: string;
    readonly port: number;
    readonly protocol: string;
  }[];
}

/** Access to a file that no program has a reason to access. */
export interface Touch {
  readonly path: string;
  /**
   * `bait` is a decoy file; `persistence` is a file that a tool on the host runs; `tampering` is an attack on a protected
   * path.
   */
  readonly kind: 'bait' | 'credential' | 'persistence' | 'set-id' | 'tampering';
  readonly written: boolean;
  readonly pid: number;
  readonly program: string;
}

/** Items that have waited too long for a check or exceed a limit. */
export interface Unseen {
  readonly what: string;
  readonly count: number;
}

export interface Sample {
  readonly container: string;
  /** Monotonic. */
  readonly atMs: number;
  readonly time: string;
  /** Nothing ran since the last sample: processes and sockets are copied from it. */
  readonly quiet: boolean;
  readonly address: string;
  /** The host's address on the bridge, which serves DNS and DHCP. */
  readonly gateway: string;
  /** Networks that exist only inside the container, such as Docker's. */
  readonly ownSubnets: readonly Subnet[];
  readonly network: 'restricted' | 'allowlist' | 'open';
  readonly processes: readonly Process[];
  /** Includes processes that have not been read yet. */
  readonly processCount: number;
  readonly connections: readonly Connection[];
  readonly listeners: readonly SocketReading[];
  /** Ports of current and recent listeners: a connection may outlive the server that accepted it. */
  readonly servedPorts: ReadonlySet<number>;
  /** Inodes of all TCP and UDP sockets in the container's namespaces. */
  readonly socketInodes: ReadonlySet<string>;
  /** Through the container's interface since it was created. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly cpuNs: number;
  readonly memoryBytes: number;
  /** Infinity if there is no limit. */
  readonly memoryLimitBytes: number;
  readonly guard: GuardCounters | undefined;
  readonly touches: readonly Touch[];
  /** Items that could not be checked in time: something may hide there. Empty for ordinary work. */
  readonly unseen: readonly Unseen[];
  /** Failed reads. */
  readonly errors: readonly string[];
}

/** The difference between two samples of the same container. */
export interface Change {
  readonly elapsedMs: number;
  /** Sums over the current processes; those started since count from zero. */
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly started: readonly Process[];
  /** The number of processes started, including ones that have already ended, from their pids. */
  readonly spawned: number;
  /** 1 is one fully used CPU. */
  readonly cpuShare: number;
  readonly dnsNames: number;
}

export function changeBetween(before: Sample, now: Sample): Change {
  const known = new Map(before.processes.map((task) => [task.pid, task]));
  const earlier = (task: Process) => {
    const same = known.get(task.pid);
    return same?.startTicks === task.startTicks ? same : undefined;
  };
  const sum = (value: (task: Process) => number) =>
    now.processes.reduce(
      (total, task) => total + Math.max(0, value(task) - valueOr(earlier(task), value)),
      0,
    );
  const elapsedMs = Math.max(1, now.atMs - before.atMs);
  const started = now.processes.filter((task) => !earlier(task));
  return {
    elapsedMs,
    readBytes: sum(({ readBytes }) => readBytes),
    writtenBytes: sum(({ writtenBytes }) => writtenBytes),
    sentBytes: Math.max(0, now.sentBytes - before.sentBytes),
    receivedBytes: Math.max(0, now.receivedBytes - before.receivedBytes),
    started,
    spawned: Math.max(started.length, highestInnerPid(now) - highestInnerPid(before)),
    dnsNames: Math.max(0, (now.guard?.dnsNames ?? 0) - (before.guard?.dnsNames ?? 0)),
    cpuShare: Math.max(0, now.cpuNs - before.cpuNs) / 1e6 / elapsedMs,
  };
}

function valueOr(task: Process | undefined, value: (task: Process) => number): number {
  return task === undefined ? 0 : value(task);
}

/** Pids are assigned in order, so the highest shows how many there were; nested containers have their own, lower ones. */
function highestInnerPid({ processes }: Sample): number {
  return processes.reduce((highest, { innerPid }) => Math.max(highest, innerPid), 0);
}
