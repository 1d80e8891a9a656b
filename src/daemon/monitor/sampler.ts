// Puts a sample of one container together from what the host's kernel shows.
import { type Cgroups, cpuNanoseconds, findCgroups, ProcessList } from '../../host/cgroups.ts';
import { connectedNetworks, interfaceBytes } from '../../host/interfaces.ts';
import { holdersOf, ProcessTable } from '../../host/processes.ts';
import { readText } from '../../host/read-text.ts';
import { SocketTables } from '../../host/sockets.ts';
import { isWithin, type Subnet } from '../../monitor/addresses.ts';
import { isInteresting } from '../../monitor/detectors/contacts.ts';
import { interest } from '../../monitor/programs.ts';
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

export class Sampler {
  readonly container: SampledContainer;
  readonly cgroups: Cgroups;
  readonly #clock: SamplerClock;
  readonly #informants: Informants;
  readonly #list: ProcessList;
  readonly #table = new ProcessTable(interest);
  readonly #sockets = new SocketTables();

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
    const pids = this.#list.read();
    if (!pids || pids.length === 0) return undefined;
    const { name, address, gateway, network, hostName, initPid, bridge } = this.container;
    const processes = this.#table.read(pids);
    const sockets = this.#sockets.read(representatives(processes));
    const traffic = interfaceBytes(hostName);
    const ownSubnets = connectedNetworks(initPid).filter(
      (subnet) => subnet.bits >= widestOwnBits && !isWithin(subnet.address, [bridge]),
    );
    const sample: Sample = {
      container: name,
      atMs: this.#clock.elapsedMs(),
      time: this.#clock.now().toISOString(),
      address,
      gateway,
      network,
      ownSubnets,
      processes,
      processCount: pids.length,
      connections: sockets.filter(({ remotePort }) => remotePort !== 0),
      listeners: sockets.filter(({ remotePort, state }) => remotePort === 0 && state !== 'closed'),
      socketInodes: new Set(sockets.map(({ inode }) => inode)),
      sentBytes: traffic?.received ?? 0,
      receivedBytes: traffic?.sent ?? 0,
      ...this.#resources(),
      guard: this.#informants.guard?.(name),
      touches: this.#informants.touches?.(name) ?? [],
      errors: traffic ? [] : [`no interface ${hostName}`],
    };
    return { ...sample, connections: withHolders(sample) };
  }

  #resources(): Pick<Sample, 'cpuNs' | 'memoryBytes' | 'memoryLimitBytes'> {
    const { cpu, memory } = this.cgroups;
    const number = (path: string | undefined) =>
      Number(path === undefined ? 0 : (readText(path)?.trim() ?? 0));
    const limit = number(memory?.limit);
    return {
      cpuNs: cpu === undefined ? 0 : cpuNanoseconds(readText(cpu) ?? ''),
      memoryBytes: number(memory?.usage),
      // v2 says "max", v1 a number near 2^63.
      memoryLimitBytes:
        Number.isFinite(limit) && limit > 0 && limit < 2 ** 60 ? limit : Number.POSITIVE_INFINITY,
    };
  }
}

/** One process for each network namespace. */
function representatives(processes: readonly Process[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { netns, pid } of processes)
    if (netns !== '' && !found.has(netns)) found.set(netns, pid);
  return found;
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
