// Sockets of a container's network namespaces, from outside of them, from look to look.
// Reading a TCP table walks the whole hash of the host (2.5 ms and more), so it is read anew only when counters say that
// sockets or connections came or went; those cost 60 µs, a table of datagrams 30. What one look has no time for keeps its
// last reading and comes first in a later one.
import { LineReader, readText } from '../linux/proc-file.ts';
import type { Allowance, Steps } from './allowance.ts';
import { inOrder, isTooLate, type Looked } from './look-order.ts';
import type { Place } from './processes.ts';
import { type InUse, parseSocket, type SocketReading, socketsInUse, tcpOpens } from './sockets.ts';

/** A network namespace of a container, with a process in it. */
export interface Network {
  readonly place: Place;
  /** Somebody who may talk over it is in it: it is looked at before others. */
  readonly matters: boolean;
  /** The container's own, which its interface is in: it is read at every look, whatever else there is. */
  readonly own: boolean;
}

export interface SocketsReading {
  readonly sockets: readonly SocketReading[];
  readonly unfinished: boolean;
  /** Namespaces that wait for a look for too long. */
  readonly networksLate: number;
  /** Namespaces with more sockets than are read. */
  readonly overfull: number;
}

/** Milliseconds of one look. */
const partMs = 60;
/** Of all namespaces. A benchmark of a server has some ten thousand. */
const socketsMax = 32_768;
/** Lines that say nothing are read, too. */
const tableBytesMax = 8 * 1024 * 1024;

type Tables = Readonly<Record<keyof InUse, readonly SocketReading[]>>;

interface Entry {
  place: Place;
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

  /** By name of the namespace. */
  *read(networks: ReadonlyMap<string, Network>, allowance: Allowance): Steps<SocketsReading> {
    this.#round += 1;
    const round = this.#round;
    const isOver = allowance.part(partMs);
    this.#keep(networks);
    const order = inOrder([...this.#known.values()], lookedOf, round);
    for (const entry of order.sort((one, other) => Number(other.own) - Number(one.own))) {
      if (isOver()) break;
      if (yield* readOne(entry, allowance)) entry.last = round;
      yield* allowance.turn();
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
      networksLate: entries.filter((entry) => isTooLate(lookedOf(entry), round)).length,
      overfull:
        entries.filter(({ overfull }) => overfull).length + Number(sockets.length > socketsMax),
    };
  }

  #keep(networks: ReadonlyMap<string, Network>): void {
    const next = new Map<string, Entry>();
    for (const [name, { place, matters, own }] of networks) {
      const entry = this.#known.get(name) ?? newEntry(this.#round);
      next.set(name, Object.assign(entry, { place, matters, own }));
    }
    this.#known = next;
  }
}

function newEntry(round: number): Entry {
  return {
    place: 0,
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

function lookedOf({ since, last, matters }: Entry): Looked {
  return { since, last, every: 1, first: matters };
}

/** False if there was nothing to read. */
function* readOne(entry: Entry, allowance: Allowance): Steps<boolean> {
  const net = `/proc/${entry.place}/net`;
  const snmp = readText(`${net}/snmp`, { encoding: 'latin1' });
  // The process ended: another one stands for the namespace at the next look, if there is one.
  if (snmp === undefined) return false;
  const opens = tcpOpens(snmp);
  // A new listener shows only in the counts.
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
    yield* allowance.turn();
  }
  return { sockets, more: false };
}
