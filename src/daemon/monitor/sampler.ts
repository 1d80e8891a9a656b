// Puts a sample of one container together from what the host's kernel shows.
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import { connectedNetworks, interfaceBytes } from '../../host/linux/interfaces.ts';
import { readText } from '../../host/linux/proc-file.ts';
import { Allowance, type Steps } from '../../host/proc/allowance.ts';
import { type Cgroups, cpuNanoseconds, findCgroups } from '../../host/proc/cgroups.ts';
import { Holders } from '../../host/proc/holders.ts';
import { directReader, type ProcReader } from '../../host/proc/patient-read.ts';
import { ProcessList } from '../../host/proc/process-list.ts';
import { ProcessTable } from '../../host/proc/process-table.ts';
import { networkNamespace, socketInode } from '../../host/proc/processes.ts';
import { type Network, SocketTables } from '../../host/proc/socket-tables.ts';
import type { SocketReading } from '../../host/proc/sockets.ts';
import { type Asked, UnixTables } from '../../host/proc/unix-tables.ts';
import { isWithin, type Subnet } from '../../monitor/addresses.ts';
import { isInteresting } from '../../monitor/detectors/contacts.ts';
import { interest, isShell } from '../../monitor/programs.ts';
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
  /** Host pid of its init. */
  readonly initPid: number;
  /** Interface on the host side. */
  readonly hostName: string;
  readonly address: string;
  readonly gateway: string;
  /** The bridge's network: what is in it is not the container's own. */
  readonly bridge: Subnet;
  readonly network: NetworkMode;
}

/** What others know: the network guard, and the watch on files. */
export interface Informants {
  readonly guard?: (container: string) => GuardCounters | undefined;
  readonly touches?: (container: string) => readonly Touch[];
}

export interface SamplerClock {
  readonly now: () => Date;
  readonly elapsedMs: () => number;
}

/** A network of a container is not believed to be wider than that, or one made-up route would hide everything. */
const widestOwnBits = 16;
const rareRounds = 8;
/** Processor time below which a container did nothing since the last look. */
const quietNs = 300_000;
/** After that many quiet rounds a sample is taken all the same. */
const quietRoundsMax = 7;
const servedMs = 300_000;
/** Docker makes one for each of its networks. */
const ownSubnetsMax = 256;

export class Sampler {
  readonly container: SampledContainer;
  readonly cgroups: Cgroups;
  readonly #clock: SamplerClock;
  readonly #informants: Informants;
  readonly #list: ProcessList;
  readonly #table: ProcessTable;
  readonly #sockets = new SocketTables();
  readonly #unix = new UnixTables();
  readonly #holders: Holders;
  readonly #reader: ProcReader;
  readonly #hostNetwork = networkNamespace('self', directReader) ?? '';
  #round = 0;
  #last: Sample | undefined;
  #quietRounds = 0;
  #unfinished = false;
  /** By port: when it was last listened on. */
  readonly #served = new Map<number, number>();
  #ownSubnets: readonly Subnet[] = [];
  #memoryLimitBytes = Number.POSITIVE_INFINITY;

  private constructor(
    container: SampledContainer,
    cgroups: Cgroups,
    clock: SamplerClock,
    informants: Informants,
    reader: ProcReader,
  ) {
    this.container = container;
    this.cgroups = cgroups;
    this.#clock = clock;
    this.#informants = informants;
    this.#list = new ProcessList(cgroups);
    this.#table = new ProcessTable(interest, reader);
    this.#holders = new Holders(reader);
    this.#reader = reader;
  }

  /** Undefined if the container is not running. */
  static of(
    container: SampledContainer,
    clock: SamplerClock,
    informants: Informants = {},
    reader: ProcReader = directReader,
  ): Sampler | undefined {
    const cgroups = findCgroups(container.initPid);
    return cgroups && new Sampler(container, cgroups, clock, informants, reader);
  }

  /** Undefined if the container is gone. What a container makes is looked at as far as the allowance reaches. */
  *sample(allowance = new Allowance()): Steps<Sample | undefined> {
    const { cpu } = this.cgroups;
    const cpuNs = cpu === undefined ? undefined : readText(cpu);
    if (cpu !== undefined && cpuNs === undefined) return undefined;
    const used = cpuNs === undefined ? Number.NaN : cpuNanoseconds(cpuNs);
    const last = this.#last;
    // Starting a program takes more processor time than that, so nothing can have changed.
    const isQuiet = last && !this.#unfinished && used - last.cpuNs < quietNs;
    if (isQuiet && this.#quietRounds < quietRoundsMax) {
      this.#quietRounds += 1;
      return { ...last, ...this.#moment(), ...this.#informed(), quiet: true };
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
    const place = this.container.initPid;
    const networks = networksOf(processes, this.#hostNetwork, { own: own ?? '', place });
    const read = yield* this.#sockets.read(networks, allowance);
    const { sockets } = read;
    const listeners = sockets.filter(
      ({ remotePort, state }) => remotePort === 0 && state === 'listening',
    );
    const traffic = interfaceBytes(hostName);
    const unix = yield* this.#unix.read(shellsOnOther(processes, sockets), allowance);
    this.#unfinished = table.unfinished || read.unfinished || unix.open.length > 0;
    const sample: Sample = {
      container: name,
      ...this.#moment(),
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
      // A socket that nobody had the time to look for is not taken for a hidden one.
      socketInodes: new Set([...sockets.map(({ inode }) => inode), ...unix.found, ...unix.open]),
      sentBytes: traffic?.received ?? 0,
      receivedBytes: traffic?.sent ?? 0,
      cpuNs,
      memoryBytes: numberIn(this.cgroups.memory?.usage),
      memoryLimitBytes: this.#memoryLimitBytes,
      ...this.#informed(),
      unseen: unseen(
        { what: 'control groups', count: Number(list.groupsLeft) },
        { what: 'processes', count: table.processesLate },
        { what: 'command lines', count: table.commandsHeld },
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
      if (isInteresting(connection, sample)) inodes.add(connection.inode);
      if (index % 64 === 0) yield* allowance.turn();
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

  #moment(): Pick<Sample, 'atMs' | 'time'> {
    return { atMs: this.#clock.elapsedMs(), time: this.#clock.now().toISOString() };
  }

  #informed(): Pick<Sample, 'guard' | 'touches'> {
    const { name } = this.container;
    return {
      guard: this.#informants.guard?.(name),
      touches: this.#informants.touches?.(name) ?? [],
    };
  }

  /** What hardly ever changes is read once in eight rounds. */
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
 * The network namespaces of the container. What Incus enters it with is in its group a moment before it is in its
 * network, and the host's connections are not the container's.
 */
function networksOf(
  processes: readonly Process[],
  hostNetwork: string,
  init: { readonly own: string; readonly place: number },
): Map<string, Network> {
  const found = new Map<string, Network>();
  const { own } = init;
  if (own !== '' && own !== hostNetwork)
    found.set(own, { place: init.place, matters: true, own: true });
  for (const { netns, place, exe, comm } of processes) {
    if (netns === '' || netns === hostNetwork || netns === own) continue;
    const known = found.get(netns);
    const matters = known?.matters || interest.closely({ exe, comm });
    found.set(netns, { place: known?.place ?? place, matters, own: false });
  }
  return found;
}

/** Shells that talk over a socket which is neither of TCP nor of UDP. */
function shellsOnOther(
  processes: readonly Process[],
  sockets: readonly SocketReading[],
): readonly Asked[] {
  const known = new Set(sockets.map(({ inode }) => inode));
  return processes.flatMap(({ std, place, exe, comm, netns }) => {
    const inode = socketInode(std[0]);
    if (inode === undefined || known.has(inode) || !isShell({ exe, comm })) return [];
    return [{ namespace: netns, place, inode }];
  });
}

function unseen(...all: readonly Unseen[]): readonly Unseen[] {
  return all.filter(({ count }) => count > 0);
}
