// The processes of a container, from scan to scan. Details are read when a process is new, has become another program or
// may matter, and in turn for the rest. A process that a scan has no time for keeps its last reading and comes first later.
import type { Allowance, Steps } from './allowance.ts';
import { blockedRead, directReader, type ProcReader } from './bounded-read.ts';
import {
  argvOf,
  descriptorsOf,
  idsOf,
  ioOf,
  livingThread,
  type ProcessReading,
  type ProcPath,
  programOf,
  statOf,
  streamsOf,
} from './processes.ts';
import { dueInOrder, isTooLate, type ReadState } from './read-order.ts';

/** Selects the processes whose details every scan reads; the caller knows which programs matter. */
export interface Interest {
  /** Read the command line and standard streams at every scan, since both can change without an exec. */
  readonly closely: (program: { readonly exe: string; readonly comm: string }) => boolean;
  /** Read all descriptors. */
  readonly descriptors: (program: {
    readonly exe: string;
    readonly comm: string;
    readonly argv: readonly string[];
  }) => boolean;
}

export interface TableReading {
  /** Without processes whose details have not been read yet. */
  readonly processes: readonly ProcessReading[];
  /** Something is left for the next scan. */
  readonly unfinished: boolean;
  /** The number of processes that have waited too long. */
  readonly processesLate: number;
  /** The number of processes whose command line the container blocks. */
  readonly commandsBlocked: number;
  /** The number of processes with too many descriptors, or whose descriptors have waited too long. */
  readonly descriptorsLate: number;
}

/** Milliseconds per scan for each part. A thousand idle processes take 25 for the first. */
const scanMs = 40;
const closelyMs = 40;
const descriptorsMs = 20;
/** Further processes are only counted. */
const pidsMax = 16_384;
/** Per process. No program whose descriptors are read has that many. */
const descriptorsMax = 8192;
/** The details of an unimportant process are read every eighth scan. */
const rareRounds = 8;
/** A busy host alone may block reads for this many scans. */
const blockedRoundsMin = 2;
const nothingDone = { readBytes: 0, writtenBytes: 0 };

interface Entry {
  readonly pid: number;
  /** Its path below /proc. */
  procPath: ProcPath;
  since: number;
  scanned: number | undefined;
  startTicks: number;
  exe: string;
  comm: string;
  cpuTicks: number;
  /** A zombie has neither a program nor descriptors. */
  zombie: boolean;
  matters: boolean;
  detailed: number | undefined;
  /** The round in which rarely changing fields were last read. */
  rare: number;
  reading: ProcessReading | undefined;
  /** `commandBlocked`: its command line could not be read. `blocked`: nothing of it can be read. */
  commandBlocked: boolean;
  blocked: boolean;
  /** Whether its descriptors are read, since when, when last, and whether there are too many. */
  wide: boolean;
  wideSince: number;
  listed: number | undefined;
  tooMany: boolean;
}

export class ProcessTable {
  readonly #interest: Interest;
  readonly #reader: ProcReader;
  #known = new Map<number, Entry>();
  #round = 0;
  /** Consecutive scans in which a command line could not be read. */
  #blockedRounds = 0;

  constructor(interest: Interest, reader: ProcReader = directReader) {
    this.#interest = interest;
    this.#reader = reader;
  }

  *read(pids: readonly number[], allowance: Allowance): Steps<TableReading> {
    this.#round += 1;
    const entries = this.#entries(pids);
    yield* this.#scan(entries, allowance);
    const alive = entries.filter(({ pid }) => this.#known.has(pid));
    const living = alive.filter(({ zombie, blocked }) => !zombie && !blocked);
    yield* this.#readDetails(living, allowance);
    const wide = living.filter((entry) => entry.wide);
    yield* this.#list(wide, allowance);
    const held = alive.filter((entry) => entry.commandBlocked);
    this.#blockedRounds = held.length > 0 ? this.#blockedRounds + 1 : 0;
    const round = this.#round;
    const late = (entry: Entry) =>
      isTooLate(scanOf(entry), round) ||
      (!entry.zombie && !entry.blocked && isTooLate(closeOf(entry), round));
    return {
      processes: living.flatMap(({ reading }) => (reading ? [reading] : [])),
      unfinished:
        held.length > 0 || alive.some((entry) => entry.scanned !== round || isWaiting(entry)),
      processesLate: alive.filter(late).length + Math.max(0, pids.length - pidsMax),
      commandsBlocked: this.#blockedRounds > blockedRoundsMin ? held.length : 0,
      descriptorsLate: wide.filter((one) => one.tooMany || isTooLate(wideOf(one), round)).length,
    };
  }

  /** One entry per pid, the lowest first. */
  #entries(pids: readonly number[]): Entry[] {
    const next = new Map<number, Entry>();
    for (const pid of pids.toSorted((one, other) => one - other).slice(-pidsMax))
      next.set(pid, this.#known.get(pid) ?? newEntry(pid, this.#round));
    this.#known = next;
    return [...next.values()];
  }

  *#scan(entries: readonly Entry[], allowance: Allowance): Steps<void> {
    const isOver = allowance.startLimit(scanMs);
    for (const entry of dueInOrder(entries, scanOf, this.#round)) {
      if (isOver()) return;
      this.#scanOne(entry);
      yield* allowance.yieldIfDue();
    }
  }

  #scanOne(entry: Entry): void {
    const { pid } = entry;
    const stat = statOf(pid, this.#reader);
    entry.blocked = stat === blockedRead;
    if (stat === blockedRead) {
      this.#block(entry);
      return;
    }
    if (!stat || stat.state === 'X') {
      this.#known.delete(pid);
      return;
    }
    const round = this.#round;
    entry.scanned = round;
    // The first thread may have ended while others still run.
    const procPath = stat.state === 'Z' ? livingThread(pid, this.#reader) : pid;
    entry.zombie = procPath === undefined;
    if (procPath === undefined) return;
    entry.procPath = procPath;
    const exe = programOf(procPath, this.#reader);
    if (exe === undefined) {
      this.#block(entry);
      return;
    }
    const { comm, startTicks, cpuTicks } = stat;
    if (startTicks !== entry.startTicks) entry.reading = undefined;
    if (startTicks !== entry.startTicks || exe !== entry.exe || comm !== entry.comm) {
      // A process that changes its name at every scan must not gain priority by that.
      if (entry.detailed !== undefined) entry.since = round;
      entry.detailed = undefined;
    }
    const io = entry.reading && entry.cpuTicks !== cpuTicks ? ioOf(pid, this.#reader) : {};
    Object.assign(entry, { startTicks, exe, comm, cpuTicks });
    entry.matters = this.#interest.closely({ exe, comm });
    if (entry.reading) entry.reading = { ...entry.reading, ...stat, exe, ...io };
  }

  /** Marks a process that cannot be read. */
  #block(entry: Entry): void {
    Object.assign(entry, { scanned: this.#round, commandBlocked: true, blocked: true });
  }

  *#readDetails(entries: readonly Entry[], allowance: Allowance): Steps<void> {
    const isOver = allowance.startLimit(closelyMs);
    const scanned = entries.filter((entry) => entry.scanned !== undefined);
    for (const entry of dueInOrder(scanned, closeOf, this.#round)) {
      if (isOver()) return;
      this.#readDetail(entry);
      yield* allowance.yieldIfDue();
    }
  }

  #readDetail(entry: Entry): void {
    const { pid, procPath, exe, comm, reading: before } = entry;
    const round = this.#round;
    const stat = statOf(pid, this.#reader);
    if (stat === blockedRead || !stat || stat.startTicks !== entry.startTicks) return;
    const streams = streamsOf(procPath, this.#reader);
    if (!streams) {
      this.#block(entry);
      return;
    }
    const same = entry.detailed !== undefined && before !== undefined;
    const seldom = same && round - entry.rare < rareRounds ? before : undefined;
    const { uid, innerPid } = seldom ?? idsOf(procPath);
    const { readBytes, writtenBytes } = seldom ?? ioOf(pid, this.#reader) ?? before ?? nothingDone;
    const read = argvOf(procPath, this.#reader);
    entry.commandBlocked = read === undefined;
    const argv = read ?? (same ? before.argv : []);
    entry.wide = this.#interest.descriptors({ exe, comm, argv });
    if (!same) Object.assign(entry, { wideSince: round, listed: undefined, tooMany: false });
    // Spread out, so that processes that started together are not due together.
    if (!seldom) entry.rare = same ? round : round - (pid % rareRounds);
    entry.detailed = round;
    entry.reading = {
      pid,
      procPath,
      ...stat,
      exe,
      argv,
      uid,
      innerPid,
      ...streams,
      descriptors: entry.wide && same ? before.descriptors : [],
      readBytes,
      writtenBytes,
    };
  }

  *#list(entries: readonly Entry[], allowance: Allowance): Steps<void> {
    const isOver = allowance.startLimit(descriptorsMs);
    for (const entry of dueInOrder(entries, wideOf, this.#round)) {
      if (isOver()) return;
      const { targets, rest } = yield* descriptorsOf(
        entry.procPath,
        descriptorsMax,
        allowance,
        this.#reader,
      );
      if (rest !== 'blocked') this.#setDescriptors(entry, targets, rest === 'too many');
      yield* allowance.yieldIfDue();
    }
  }

  /** Not after a blocked read: a busy host alone may block one, so the last reading stays, and many in a row make it late. */
  #setDescriptors(entry: Entry, targets: string[], tooMany: boolean): void {
    Object.assign(entry, { listed: this.#round, tooMany });
    if (entry.reading) entry.reading = { ...entry.reading, descriptors: targets };
  }
}

function newEntry(pid: number, round: number): Entry {
  return {
    pid,
    procPath: pid,
    since: round,
    scanned: undefined,
    startTicks: -1,
    exe: '',
    comm: '',
    cpuTicks: -1,
    zombie: false,
    matters: false,
    detailed: undefined,
    rare: 0,
    reading: undefined,
    commandBlocked: false,
    blocked: false,
    wide: false,
    wideSince: round,
    listed: undefined,
    tooMany: false,
  };
}

function scanOf({ since, scanned, matters }: Entry): ReadState {
  return { since, last: scanned, every: 1, first: matters };
}

/** For an unimportant process the round of the rarely changing fields counts, since it is spread out. */
function closeOf({ since, detailed, rare, matters, commandBlocked }: Entry): ReadState {
  const last = detailed === undefined || matters || commandBlocked ? detailed : rare;
  return { since, last, every: matters || commandBlocked ? 1 : rareRounds, first: matters };
}

function wideOf({ wideSince, listed }: Entry): ReadState {
  return { since: wideSince, last: listed, every: 1, first: false };
}

function isWaiting({ zombie, blocked, detailed, wide, listed }: Entry): boolean {
  return !zombie && !blocked && (detailed === undefined || (wide && listed === undefined));
}
