// Takes samples of one container from the host's /proc, cgroups and interfaces.
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import { connectedNetworks, interfaceBytes } from '../../host/linux/interfaces.ts';
import { readText } from '../../host/linux/proc-file.ts';
import { Allowance, type Steps } from '../../host/proc/allowance.ts';
import { directReader, type ProcReader } from '../../host/proc/bounded-read.ts';
import { type Cgroups, cpuNanoseconds, findCgroups } from '../../host/proc/cgroups.ts';
import { ProcessList } from '../../host/proc/process-list.ts';
import { ProcessTable } from '../../host/proc/process-table.ts';
import { networkNamespace, socketInode } from '../../host/proc/processes.ts';
import { SocketHolders } from '../../host/proc/socket-holders.ts';
import { type Network, SocketTables } from '../../host/proc/socket-tables.ts';
import type { SocketReading } from '../../host/proc/sockets.ts';
import { type InodeQuery, UnixTables } from '../../host/proc/unix-tables.ts';
import { isWithin, type Subnet } from '../../monitor/addresses.ts';
import { isSuspicious } from '../../monitor/detectors/contacts.ts';
import { isShell, processInterest } from '../../monitor/programs.ts';
import type {
  Connection,
  GuardCounters,
  Process,
  Sample,
  Touch,
  Unseen,
} from '../../monitor/sample.ts';

export interface SampledContainer {
  readonly name: string;
  /** Host pid of the container's init. */
  readonly initPid: number;
  /** Interface on the host side. */
  readonly hostName: string;
  readonly address: string;
  readonly gateway: string;
  /** The bridge's network, which does not belong to the container. */
  readonly bridge: Subnet;
  readonly network: NetworkMode;
}

/** External inputs of a sample: the network guard and the file watch. */
export interface SampleSources {
  readonly guard?: (container: string) => GuardCounters | undefined;
  readonly touches?: (container: string) => readonly Touch[];
}

export interface SamplerClock {
  readonly now: () => Date;
  readonly elapsedMs: () => number;
}

/** Wider networks are not accepted as the container's own: one fake route would hide everything. */
const widestOwnBits = 16;
const rareRounds = 8;
/** With less CPU time than this since the last sample, a container counts as idle. */
const quietNs = 300_000;
/** After this many quiet rounds, a full sample is taken anyway. */
const quietRoundsMax = 7;
const servedMs = 300_000;
/** Docker creates one per network. */
const ownSubnetsMax = 256;

export class Sampler {
  readonly container: SampledContainer;
  readonly cgroups: Cgroups;
  readonly #clock: SamplerClock;
  readonly #sources: SampleSources;
  readonly #list: ProcessList;
  readonly #table: ProcessTable;
  readonly #sockets = new SocketTables();
  readonly #unix = new UnixTables();
  readonly #holders: SocketHolders;
  readonly #reader: ProcReader;
  readonly #hostNetwork = networkNamespace('self', directReader) ?? '';
  #round = 0;
  #last: Sample | undefined;
  #quietRounds = 0;
  #unfinished = false;
  /** When each port was last listened on. */
  readonly #served = new Map<number, number>();
  #ownSubnets: readonly Subnet[] = [];
  #memoryLimitBytes = Number.POSITIVE_INFINITY;

  private constructor(
    container: SampledContainer,
    cgroups: Cgroups,
    clock: SamplerClock,
    sources: SampleSources,
    reader: ProcReader,
  ) {
    this.container = container;
    this.cgroups = cgroups;
    this.#clock = clock;
    this.#sources = sources;
    this.#list = new ProcessList(cgroups);
    this.#table = new ProcessTable(processInterest, reader);
    this.#holders = new SocketHolders(reader);
    this.#reader = reader;
  }

  /** Undefined if the container is not running. */
  static of(
    container: SampledContainer,
    clock: SamplerClock,
    sources: SampleSources = {},
    reader: ProcReader = directReader,
  ): Sampler | undefined {
    const cgroups = findCgroups(container.initPid);
    return cgroups && new Sampler(container, cgroups, clock, sources, reader);
  }

  /** Undefined if the container is gone. The allowance limits how much is read. */
  *sample(allowance = new Allowance()): Steps<Sample | undefined> {
    const { cpu } = this.cgroups;
    const cpuNs = cpu === undefined ? undefined : readText(cpu);
    if (cpu !== undefined && cpuNs === undefined) return undefined;
    const used = cpuNs === undefined ? Number.NaN : cpuNanoseconds(cpuNs);
    const last = this.#last;
    // Starting a program takes more CPU time, so nothing can have changed.
    const isQuiet = last && !this.#unfinished && used - last.cpuNs < quietNs;
    if (isQuiet && this.#quietRounds < quietRoundsMax) {
      this.#quietRounds += 1;
      return { ...last, ...this.#timestamp(), ...this.#external(), quiet: true };
    }
    this.#quietRounds = 0;
    this.#last = yield* this.#read(Number.isNaN(used) ? 0 : used, allowance);
    return this.#last;
  }

  *#read(cpuNs: number, allowance: Allowance): Steps<Sample | undefined> {
    const list = yield* this.#list.read(allowance);
    if (!list || list.pids.length === 0) return undefined;
    const { name, address, gateway, network, hostName } = this.container;
    this.#readRare();
    const table = yield* this.#table.read(list.pids, allowance);
    const { processes } = table;
    const own = networkNamespace(this.container.initPid, this.#reader);
    const procPath = this.container.initPid;
    const networks = networksOf(processes, this.#hostNetwork, { own: own ?? '', procPath });
    const read = yield* this.#sockets.read(networks, allowance);
    const { sockets } = read;
    const listeners = sockets.filter(
      ({ remotePort, state }) => remotePort === 0 && state === 'listening',
    );
    const traffic = interfaceBytes(hostName);
    const unix = yield* this.#unix.read(shellsOnOtherSockets(processes, sockets), allowance);
    this.#unfinished = table.unfinished || read.unfinished || unix.open.length > 0;
    const sample: Sample = {
      container: name,
      ...this.#timestamp(),
      quiet: false,
      address,
      gateway,
      network,
      ownSubnets: this.#ownSubnets,
      processes,
      processCount: list.pids.length,
      connections: sockets.filter(({ remotePort }) => remotePort !== 0),
      listeners,
      servedPorts: this.#servedPorts(listeners),
      // A socket that was not searched for lack of time does not count as hidden.
      socketInodes: new Set([...sockets.map(({ inode }) => inode), ...unix.found, ...unix.open]),
      sentBytes: traffic?.received ?? 0,
      receivedBytes: traffic?.sent ?? 0,
      cpuNs,
      memoryBytes: numberIn(this.cgroups.memory?.usage),
      memoryLimitBytes: this.#memoryLimitBytes,
      ...this.#external(),
      unseen: nonEmpty(
        { what: 'control groups', count: Number(list.groupsLeft) },
        { what: 'processes', count: table.processesLate },
        { what: 'command lines', count: table.commandsBlocked },
        { what: 'descriptors of processes', count: table.descriptorsLate },
        { what: 'network namespaces', count: read.networksLate },
        { what: 'sockets', count: read.overfull },
        { what: 'unix sockets', count: this.#unix.isLate ? unix.open.length : 0 },
      ),
      errors: traffic ? [] : [`no interface ${hostName}`],
    };
    return { ...sample, connections: yield* this.#withHolders(sample, allowance) };
  }

  *#withHolders(sample: Sample, allowance: Allowance): Steps<readonly Connection[]> {
    const inodes = new Set<string>();
    for (const [index, connection] of sample.connections.entries()) {
      if (isSuspicious(connection, sample)) inodes.add(connection.inode);
      if (index % 64 === 0) yield* allowance.yieldIfDue();
    }
    inodes.delete('0');
    if (inodes.size === 0) return sample.connections;
    const pids = sample.processes.map(({ pid }) => pid);
    const holders = yield* this.#holders.find(pids, inodes, allowance);
    return sample.connections.map((connection) => {
      const pid = holders.get(connection.inode);
      return pid === undefined ? connection : { ...connection, pid };
    });
  }

  #servedPorts(listeners: readonly SocketReading[]): ReadonlySet<number> {
    const nowMs = this.#clock.elapsedMs();
    for (const { localPort } of listeners) this.#served.set(localPort, nowMs);
    for (const [port, lastMs] of this.#served)
      if (nowMs - lastMs > servedMs) this.#served.delete(port);
    return new Set(this.#served.keys());
  }

  #timestamp(): Pick<Sample, 'atMs' | 'time'> {
    return { atMs: this.#clock.elapsedMs(), time: this.#clock.now().toISOString() };
  }

  #external(): Pick<Sample, 'guard' | 'touches'> {
    const { name } = this.container;
    return {
      guard: this.#sources.guard?.(name),
      touches: this.#sources.touches?.(name) ?? [],
    };
  }

  /** Rarely changing values are read every eighth round. */
  #readRare(): void {
    const { initPid, bridge } = this.container;
    if (this.#round++ % rareRounds !== 0) return;
    const limit = numberIn(this.cgroups.memory?.limit);
    // v2 says "max", v1 a number near 2^63.
    const limited = Number.isFinite(limit) && limit > 0 && limit < 2 ** 60;
    this.#memoryLimitBytes = limited ? limit : Number.POSITIVE_INFINITY;
    this.#ownSubnets = connectedNetworks(initPid)
      .slice(0, ownSubnetsMax)
      .filter((subnet) => subnet.bits >= widestOwnBits && !isWithin(subnet.address, [bridge]));
  }
}

function numberIn(path: string | undefined): number {
  return path === undefined ? 0 : Number(readText(path)?.trim() ?? 0);
}

/**
 * The network namespaces of the container. A process with which Incus enters the container joins the cgroup before the
 * network namespace, so the host's namespace is excluded.
 */
function networksOf(
  processes: readonly Process[],
  hostNetwork: string,
  init: { readonly own: string; readonly procPath: number },
): Map<string, Network> {
  const found = new Map<string, Network>();
  const { own } = init;
  if (own !== '' && own !== hostNetwork)
    found.set(own, { procPath: init.procPath, matters: true, own: true });
  for (const { netns, procPath, exe, comm } of processes) {
    if (netns === '' || netns === hostNetwork || netns === own) continue;
    const known = found.get(netns);
    const matters = known?.matters || processInterest.closely({ exe, comm });
    found.set(netns, { procPath: known?.procPath ?? procPath, matters, own: false });
  }
  return found;
}

/** Shells with a socket on stdin that is neither TCP nor UDP. */
function shellsOnOtherSockets(
  processes: readonly Process[],
  sockets: readonly SocketReading[],
): readonly InodeQuery[] {
  const known = new Set(sockets.map(({ inode }) => inode));
  return processes.flatMap(({ std, procPath, exe, comm, netns }) => {
    const inode = socketInode(std[0]);
    if (inode === undefined || known.has(inode) || !isShell({ exe, comm })) return [];
    return [{ namespace: netns, procPath, inode }];
  });
}

function nonEmpty(...all: readonly Unseen[]): readonly Unseen[] {
  return all.filter(({ count }) => count > 0);
}
