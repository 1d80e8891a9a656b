// What coid sees of one container at one moment, as plain data: all that detectors get.
import type { ProcessReading } from '../host/proc/processes.ts';
import type { SocketReading } from '../host/proc/sockets.ts';
import type { Subnet } from './addresses.ts';

export type Process = ProcessReading;

/** A TCP or UDP socket with a remote end. */
export interface Connection extends SocketReading {
  /** The process that holds it, where it mattered enough to look. */
  readonly pid?: number;
}

/** What the network guard counted for the container since the start; absent where it does not tell. */
export interface GuardCounters {
  readonly deniedPackets: number;
  /** Different names that were asked for. */
  readonly dnsNames: number;
  /** Questions since the last sample whose names look like carriers of data. */
  readonly dnsLongNames: readonly string[];
  /** What was denied since the last sample: addresses with ports. */
  readonly denied: readonly {
    readonly address: string;
    readonly port: number;
    readonly protocol: string;
  }[];
}

/** Somebody opened a file that nobody has a reason to open. */
export interface Touch {
  readonly path: string;
  /**
   * `bait` was put there for this; `persistence` is what something on the host starts; `tampering` is an attack on what
   * is protected.
   */
  readonly kind: 'bait' | 'credential' | 'persistence' | 'set-id' | 'tampering';
  readonly written: boolean;
  readonly pid: number;
  readonly program: string;
}

/** What waits for a look for too long, or is more than is looked at. */
export interface Unseen {
  readonly what: string;
  readonly count: number;
}

export interface Sample {
  readonly container: string;
  /** Monotonic. */
  readonly atMs: number;
  readonly time: string;
  /** Nothing ran since the last sample: processes and sockets are those of then. */
  readonly quiet: boolean;
  readonly address: string;
  /** The host's end of the bridge, which answers names and leases. */
  readonly gateway: string;
  /** Networks that exist only inside of the container, such as Docker's. */
  readonly ownSubnets: readonly Subnet[];
  readonly network: 'restricted' | 'allowlist' | 'open';
  readonly processes: readonly Process[];
  /** Also those that nobody looked at yet. */
  readonly processCount: number;
  readonly connections: readonly Connection[];
  readonly listeners: readonly SocketReading[];
  /** Ports that were listened on lately: a connection outlives the server that accepted it. */
  readonly servedPorts: ReadonlySet<number>;
  /** Inodes of all TCP and UDP sockets that a namespace of the container shows. */
  readonly socketInodes: ReadonlySet<string>;
  /** Through the container's interface since it was made. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly cpuNs: number;
  readonly memoryBytes: number;
  /** Infinity where there is none. */
  readonly memoryLimitBytes: number;
  readonly guard: GuardCounters | undefined;
  readonly touches: readonly Touch[];
  /** What nobody had the time to look at: somebody may hide among it. Empty for any ordinary work. */
  readonly unseen: readonly Unseen[];
  /** What could not be read. */
  readonly errors: readonly string[];
}

/** What happened between two samples of the same container. */
export interface Change {
  readonly elapsedMs: number;
  /** Sums over the processes that lived at both ends; what started since counts from zero. */
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly started: readonly Process[];
  /** Processes started, also those that ended again before anyone looked: by the numbers that they were given. */
  readonly spawned: number;
  /** 1 is one processor at work all the time. */
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

/** Numbers are given in turn, so the highest tells how many there were; a container inside has its own, lower ones. */
function highestInnerPid({ processes }: Sample): number {
  return processes.reduce((highest, { innerPid }) => Math.max(highest, innerPid), 0);
}
