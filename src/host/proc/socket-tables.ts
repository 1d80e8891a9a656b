// The sockets of a container's network namespaces, read from the host, from scan to scan.
// Reading a TCP table walks the host's whole hash table (2.5 ms and more), so it is reread only when counters show that
// sockets or connections were added or removed; the counters cost 60 µs, a UDP table 30. A namespace that a scan has no
// time for keeps its last reading and comes first later.
import { LineReader, readText } from '../linux/proc-file.ts';
import type { Allowance, Steps } from './allowance.ts';
import type { ProcPath } from './processes.ts';
import { dueInOrder, isTooLate, type ReadState } from './read-order.ts';
import { type InUse, parseSocket, type SocketReading, socketsInUse, tcpOpens } from './sockets.ts';

/** A network namespace of a container and a process in it. */
export interface Network {
  readonly procPath: ProcPath;
  /** It contains a process that matters, so it is read before others. */
  readonly matters: boolean;
  /** The container's main namespace, with its interface: read at every scan. */
  readonly own: boolean;
}

export interface SocketsReading {
  readonly sockets: readonly SocketReading[];
  readonly unfinished: boolean;
  /** The number of namespaces that have waited too long. */
  readonly networksLate: number;
  /** The number of namespaces with more sockets than the limit. */
  readonly overfull: number;
}

/** Milliseconds per scan. */
const partMs = 60;
/** For all namespaces. A server benchmark has about ten thousand. */
const socketsMax = 32_768;
/** Irrelevant lines count too. */
const tableBytesMax = 8 * 1024 * 1024;

type Tables = Readonly<Record<keyof InUse, readonly SocketReading[]>>;

interface Entry {
  procPath: ProcPath;
  matters: boolean;
  own: boolean;
  readonly since: number;
  last: number | undefined;
  opens: string;
  inUse: InUse;
  tables: Tables;
  overfull: boolean;
}

const nothing: Tables = { tcp: [], tcp6: [], udp: [], udp6: [] };
const noneInUse: InUse = { tcp: 0, tcp6: 0, udp: 0, udp6: 0 };

export class SocketTables {
  #known = new Map<string, Entry>();
  #round = 0;

  /** `networks` is keyed by the name of the namespace. */
  *read(networks: ReadonlyMap<string, Network>, allowance: Allowance): Steps<SocketsReading> {
    this.#round += 1;
    const round = this.#round;
    const isOver = allowance.startLimit(partMs);
    this.#keep(networks);
    const order = dueInOrder([...this.#known.values()], readStateOf, round);
    for (const entry of order.sort((one, other) => Number(other.own) - Number(one.own))) {
      if (isOver()) break;
      if (yield* readOne(entry, allowance)) entry.last = round;
      yield* allowance.yieldIfDue();
    }
    const entries = [...this.#known.values()];
    const sockets = entries.flatMap(({ tables: { tcp, tcp6, udp, udp6 } }) => [
      ...tcp,
      ...tcp6,
      ...udp,
      ...udp6,
    ]);
    return {
      sockets: sockets.slice(0, socketsMax),
      unfinished: entries.some(({ last }) => last !== round),
      networksLate: entries.filter((entry) => isTooLate(readStateOf(entry), round)).length,
      overfull:
        entries.filter(({ overfull }) => overfull).length + Number(sockets.length > socketsMax),
    };
  }

  #keep(networks: ReadonlyMap<string, Network>): void {
    const next = new Map<string, Entry>();
    for (const [name, { procPath, matters, own }] of networks) {
      const entry = this.#known.get(name) ?? newEntry(this.#round);
      next.set(name, Object.assign(entry, { procPath, matters, own }));
    }
    this.#known = next;
  }
}

function newEntry(round: number): Entry {
  return {
    procPath: 0,
    matters: false,
    own: false,
    since: round,
    last: undefined,
    opens: '',
    inUse: noneInUse,
    tables: nothing,
    overfull: false,
  };
}

function readStateOf({ since, last, matters }: Entry): ReadState {
  return { since, last, every: 1, first: matters };
}

/** False if the process has ended. */
function* readOne(entry: Entry, allowance: Allowance): Steps<boolean> {
  const net = `/proc/${entry.procPath}/net`;
  const snmp = readText(`${net}/snmp`, { encoding: 'latin1' });
  // The process ended; the next scan uses another process of the namespace, if there is one.
  if (snmp === undefined) return false;
  const opens = tcpOpens(snmp);
  // A new listener only shows in these counts.
  const inUse = socketsInUse(
    `${readText(`${net}/sockstat`) ?? ''}${readText(`${net}/sockstat6`) ?? ''}`,
  );
  const sameTcp =
    entry.last !== undefined &&
    entry.opens === opens &&
    entry.inUse.tcp === inUse.tcp &&
    entry.inUse.tcp6 === inUse.tcp6;
  const before = entry.tables;
  const tables: Record<keyof InUse, readonly SocketReading[]> = { ...nothing };
  let [room, overfull] = [socketsMax, false];
  for (const table of ['tcp', 'tcp6', 'udp', 'udp6'] as const) {
    if (inUse[table] === 0) continue;
    if (sameTcp && table.startsWith('tcp')) {
      tables[table] = before[table];
      continue;
    }
    const read = yield* readTable(net, table, room, allowance);
    tables[table] = read.sockets;
    room -= read.sockets.length;
    overfull ||= read.more;
  }
  Object.assign(entry, { opens, inUse, tables, overfull });
  return true;
}

function* readTable(
  net: string,
  table: keyof InUse,
  most: number,
  allowance: Allowance,
): Steps<{ readonly sockets: SocketReading[]; readonly more: boolean }> {
  const sockets: SocketReading[] = [];
  const protocol = table.startsWith('tcp') ? 'tcp' : 'udp';
  using reader = new LineReader(`${net}/${table}`);
  for (let lines = reader.next(); lines; lines = reader.next()) {
    for (const line of lines) {
      const socket = parseSocket(line, protocol);
      if (socket && sockets.length === most) return { sockets, more: true };
      if (socket) sockets.push(socket);
    }
    if (reader.bytes > tableBytesMax) return { sockets, more: true };
    yield* allowance.yieldIfDue();
  }
  return { sockets, more: false };
}
