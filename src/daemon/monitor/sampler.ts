// Puts a sample of one container together from what the host's kernel shows.
import { type Cgroups, cpuNanoseconds, findCgroups, ProcessList } from '../../host/cgroups.ts';
import { connectedNetworks, interfaceBytes } from '../../host/interfaces.ts';
import { holdersOf, networkNamespace, ProcessTable, socketInode } from '../../host/processes.ts';
import { readText } from '../../host/read-text.ts';
import { type SocketReading, SocketTables, unixInodes } from '../../host/sockets.ts';
import { isWithin, type Subnet } from '../../monitor/addresses.ts';
import { isInteresting } from '../../monitor/detectors/contacts.ts';
import { interest, isShell } from '../../monitor/programs.ts';
import type { Connection, GuardCounters, Process, Sample, Touch } from '../../monitor/sample.ts';
import type { NetworkMode } from '../protocol.ts';

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

export class Sampler {
  readonly container: SampledContainer;
  readonly cgroups: Cgroups;
  readonly #clock: SamplerClock;
  readonly #informants: Informants;
  readonly #list: ProcessList;
  readonly #table = new ProcessTable(interest);
  readonly #sockets = new SocketTables();
  readonly #hostNetwork = networkNamespace('self');
  #round = 0;
  #last: Sample | undefined;
  #quietRounds = 0;
  /** By port: when it was last listened on. */
  readonly #served = new Map<number, number>();
  #ownSubnets: readonly Subnet[] = [];
  #memoryLimitBytes = Number.POSITIVE_INFINITY;

  private constructor(
    container: SampledContainer,
    cgroups: Cgroups,
    clock: SamplerClock,
    informants: Informants,
  ) {
    this.container = container;
    this.cgroups = cgroups;
    this.#clock = clock;
    this.#informants = informants;
    this.#list = new ProcessList(cgroups);
  }

  /** Undefined if the container is not running. */
  static of(
    container: SampledContainer,
    clock: SamplerClock,
    informants: Informants = {},
  ): Sampler | undefined {
    const cgroups = findCgroups(container.initPid);
    return cgroups && new Sampler(container, cgroups, clock, informants);
  }

  /** Undefined if the container is gone. */
  sample(): Sample | undefined {
    const { cpu } = this.cgroups;
    const cpuNs = cpu === undefined ? undefined : readText(cpu);
    if (cpu !== undefined && cpuNs === undefined) return undefined;
    const used = cpuNs === undefined ? Number.NaN : cpuNanoseconds(cpuNs);
    const last = this.#last;
    // Starting a program takes more processor time than that, so nothing can have changed.
    if (last && used - last.cpuNs < quietNs && this.#quietRounds < quietRoundsMax) {
      this.#quietRounds += 1;
      return { ...last, ...this.#moment(), ...this.#informed(), quiet: true };
    }
    this.#quietRounds = 0;
    this.#last = this.#read(Number.isNaN(used) ? 0 : used);
    return this.#last;
  }

  #read(cpuNs: number): Sample | undefined {
    const pids = this.#list.read();
    if (!pids || pids.length === 0) return undefined;
    const { name, address, gateway, network, hostName } = this.container;
    this.#readRare();
    const processes = this.#table.read(pids);
    const sockets = this.#sockets.read(representatives(processes, this.#hostNetwork));
    const listeners = sockets.filter(
      ({ remotePort, state }) => remotePort === 0 && state === 'listening',
    );
    const traffic = interfaceBytes(hostName);
    const sample: Sample = {
      container: name,
      ...this.#moment(),
      quiet: false,
      address,
      gateway,
      network,
      ownSubnets: this.#ownSubnets,
      processes,
      processCount: pids.length,
      connections: sockets.filter(({ remotePort }) => remotePort !== 0),
      listeners,
      servedPorts: this.#servedPorts(listeners),
      socketInodes: knownInodes(processes, sockets),
      sentBytes: traffic?.received ?? 0,
      receivedBytes: traffic?.sent ?? 0,
      cpuNs,
      memoryBytes: numberIn(this.cgroups.memory?.usage),
      memoryLimitBytes: this.#memoryLimitBytes,
      ...this.#informed(),
      errors: traffic ? [] : [`no interface ${hostName}`],
    };
    return { ...sample, connections: withHolders(sample) };
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
    this.#ownSubnets = connectedNetworks(initPid).filter(
      (subnet) => subnet.bits >= widestOwnBits && !isWithin(subnet.address, [bridge]),
    );
  }
}

function numberIn(path: string | undefined): number {
  return path === undefined ? 0 : Number(readText(path)?.trim() ?? 0);
}

/**
 * One process for each network namespace of the container. What Incus enters it with is in its group a moment before it is
 * in its network, and the host's connections are not the container's.
 */
function representatives(processes: readonly Process[], hostNetwork: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const { netns, pid } of processes)
    if (netns !== '' && netns !== hostNetwork && !found.has(netns)) found.set(netns, pid);
  return found;
}

/** Inodes of TCP and UDP sockets; those of unix sockets, too, where a shell talks over one that is neither. */
function knownInodes(
  processes: readonly Process[],
  sockets: readonly SocketReading[],
): ReadonlySet<string> {
  const known = new Set(sockets.map(({ inode }) => inode));
  for (const { std, pid, exe, comm } of processes) {
    const inode = socketInode(std[0]);
    if (inode === undefined || known.has(inode) || !isShell({ exe, comm })) continue;
    for (const unix of unixInodes(pid)) known.add(unix);
  }
  return known;
}

function withHolders(sample: Sample): readonly Connection[] {
  const inodes = new Set(
    sample.connections
      .filter((connection) => isInteresting(connection, sample))
      .map(({ inode }) => inode),
  );
  inodes.delete('0');
  if (inodes.size === 0) return sample.connections;
  const pids = sample.processes.map(({ pid }) => pid);
  const holders = holdersOf(pids, inodes);
  return sample.connections.map((connection) => {
    const pid = holders.get(connection.inode);
    return pid === undefined ? connection : { ...connection, pid };
  });
}
