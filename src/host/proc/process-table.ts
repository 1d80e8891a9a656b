// The processes of a container, from look to look. Dear readings are made when a process is new or has become another
// program, or may matter; the rest in turn. What one look has no time for keeps its last reading and comes first in a later one.
import type { Allowance, Steps } from './allowance.ts';
import { inOrder, isTooLate, type Looked } from './look-order.ts';
import { directReader, type ProcReader, waits } from './patient-read.ts';
import {
  argvOf,
  descriptorsOf,
  idsOf,
  ioOf,
  livingThread,
  type Place,
  type ProcessReading,
  programOf,
  statOf,
  streamsOf,
} from './processes.ts';

/** Which processes are looked at closely at every sample; decided by who knows what it means. */
export interface Interest {
  /** Their command line and standard streams are read at every sample, since both change without a new program. */
  readonly closely: (program: { readonly exe: string; readonly comm: string }) => boolean;
  /** All their descriptors are read. */
  readonly descriptors: (program: {
    readonly exe: string;
    readonly comm: string;
    readonly argv: readonly string[];
  }) => boolean;
}

export interface TableReading {
  /** Without those that were not looked at closely yet. */
  readonly processes: readonly ProcessReading[];
  /** Something is left for the next look. */
  readonly unfinished: boolean;
  /** Processes that wait for a look for too long. */
  readonly processesLate: number;
  /** Those whose command line the container keeps from being read. */
  readonly commandsHeld: number;
  /** Those whose descriptors are too many, or wait for too long. */
  readonly descriptorsLate: number;
}

/** Milliseconds of one look for each part. A thousand idle processes take 25 for the first. */
const scanMs = 40;
const closelyMs = 40;
const descriptorsMs = 20;
/** What is known of more than that is only how many they are. */
const pidsMax = 16_384;
/** Of one process. A server with so many connections is none of those whose descriptors are read. */
const descriptorsMax = 8192;
/** A process that does not matter is looked at closely once in that many looks. */
const rarely = 8;
/** A busy host keeps us waiting for that many looks. */
const heldRoundsMin = 2;
const nothingDone = { readBytes: 0, writtenBytes: 0 };

interface Entry {
  readonly pid: number;
  /** Where it is read. */
  place: Place;
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
  /** Round of the last look at what seldom changes. */
  rare: number;
  reading: ProcessReading | undefined;
  /** Its command line could not be read; nothing of it can be. */
  held: boolean;
  blocked: boolean;
  /** Whether its descriptors are to be read, since when, when they were, and whether there are too many. */
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
  /** Looks in a row in which a command line could not be read. */
  #heldRounds = 0;

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
    yield* this.#lookClosely(living, allowance);
    const wide = living.filter((entry) => entry.wide);
    yield* this.#list(wide, allowance);
    const held = alive.filter((entry) => entry.held);
    this.#heldRounds = held.length > 0 ? this.#heldRounds + 1 : 0;
    const round = this.#round;
    const late = (entry: Entry) =>
      isTooLate(scanOf(entry), round) ||
      (!entry.zombie && !entry.blocked && isTooLate(closeOf(entry), round));
    return {
      processes: living.flatMap(({ reading }) => (reading ? [reading] : [])),
      unfinished:
        held.length > 0 || alive.some((entry) => entry.scanned !== round || isWaiting(entry)),
      processesLate: alive.filter(late).length + Math.max(0, pids.length - pidsMax),
      commandsHeld: this.#heldRounds > heldRoundsMin ? held.length : 0,
      descriptorsLate: wide.filter((one) => one.tooMany || isTooLate(wideOf(one), round)).length,
    };
  }

  /** One for each pid, the oldest first. */
  #entries(pids: readonly number[]): Entry[] {
    const next = new Map<number, Entry>();
    for (const pid of pids.toSorted((one, other) => one - other).slice(-pidsMax))
      next.set(pid, this.#known.get(pid) ?? newEntry(pid, this.#round));
    this.#known = next;
    return [...next.values()];
  }

  *#scan(entries: readonly Entry[], allowance: Allowance): Steps<void> {
    const isOver = allowance.part(scanMs);
    for (const entry of inOrder(entries, scanOf, this.#round)) {
      if (isOver()) return;
      this.#scanOne(entry);
      yield* allowance.turn();
    }
  }

  #scanOne(entry: Entry): void {
    const { pid } = entry;
    const stat = statOf(pid, this.#reader);
    entry.blocked = stat === waits;
    if (stat === waits) {
      this.#block(entry);
      return;
    }
    if (!stat || stat.state === 'X') {
      this.#known.delete(pid);
      return;
    }
    const round = this.#round;
    entry.scanned = round;
    // Its first thread may have ended while others go on.
    const place = stat.state === 'Z' ? livingThread(pid, this.#reader) : pid;
    entry.zombie = place === undefined;
    if (place === undefined) return;
    entry.place = place;
    const exe = programOf(place, this.#reader);
    if (exe === undefined) {
      this.#block(entry);
      return;
    }
    const { comm, startTicks, cpuTicks } = stat;
    if (startTicks !== entry.startTicks) entry.reading = undefined;
    if (startTicks !== entry.startTicks || exe !== entry.exe || comm !== entry.comm) {
      // Who changes its name at every look waits as long as if it had not.
      if (entry.detailed !== undefined) entry.since = round;
      entry.detailed = undefined;
    }
    const io = entry.reading && entry.cpuTicks !== cpuTicks ? ioOf(pid, this.#reader) : {};
    Object.assign(entry, { startTicks, exe, comm, cpuTicks });
    entry.matters = this.#interest.closely({ exe, comm });
    if (entry.reading) entry.reading = { ...entry.reading, ...stat, exe, ...io };
  }

  /** Nothing of it can be read. */
  #block(entry: Entry): void {
    Object.assign(entry, { scanned: this.#round, held: true, blocked: true });
  }

  *#lookClosely(entries: readonly Entry[], allowance: Allowance): Steps<void> {
    const isOver = allowance.part(closelyMs);
    const scanned = entries.filter((entry) => entry.scanned !== undefined);
    for (const entry of inOrder(scanned, closeOf, this.#round)) {
      if (isOver()) return;
      this.#lookAt(entry);
      yield* allowance.turn();
    }
  }

  #lookAt(entry: Entry): void {
    const { pid, place, exe, comm, reading: before } = entry;
    const round = this.#round;
    const stat = statOf(pid, this.#reader);
    if (stat === waits || !stat || stat.startTicks !== entry.startTicks) return;
    const streams = streamsOf(place, this.#reader);
    if (!streams) {
      this.#block(entry);
      return;
    }
    const same = entry.detailed !== undefined && before !== undefined;
    const seldom = same && round - entry.rare < rarely ? before : undefined;
    const { uid, innerPid } = seldom ?? idsOf(place);
    const { readBytes, writtenBytes } = seldom ?? ioOf(pid, this.#reader) ?? before ?? nothingDone;
    const read = argvOf(place, this.#reader);
    entry.held = read === undefined;
    const argv = read ?? (same ? before.argv : []);
    entry.wide = this.#interest.descriptors({ exe, comm, argv });
    if (!same) Object.assign(entry, { wideSince: round, listed: undefined, tooMany: false });
    // Those that came together are not all due together again.
    if (!seldom) entry.rare = same ? round : round - (pid % rarely);
    entry.detailed = round;
    entry.reading = {
      pid,
      place,
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
    const isOver = allowance.part(descriptorsMs);
    for (const entry of inOrder(entries, wideOf, this.#round)) {
      if (isOver()) return;
      const { targets, more } = yield* descriptorsOf(
        entry.place,
        descriptorsMax,
        allowance,
        this.#reader,
      );
      entry.listed = this.#round;
      entry.tooMany = more;
      if (entry.reading) entry.reading = { ...entry.reading, descriptors: targets };
      yield* allowance.turn();
    }
  }
}

function newEntry(pid: number, round: number): Entry {
  return {
    pid,
    place: pid,
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
    held: false,
    blocked: false,
    wide: false,
    wideSince: round,
    listed: undefined,
    tooMany: false,
  };
}

function scanOf({ since, scanned, matters }: Entry): Looked {
  return { since, last: scanned, every: 1, first: matters };
}

/** Of one that does not matter, the last look at what seldom changes counts, which was spread. */
function closeOf({ since, detailed, rare, matters, held }: Entry): Looked {
  const last = detailed === undefined || matters || held ? detailed : rare;
  return { since, last, every: matters || held ? 1 : rarely, first: matters };
}

function wideOf({ wideSince, listed }: Entry): Looked {
  return { since: wideSince, last: listed, every: 1, first: false };
}

function isWaiting({ zombie, blocked, detailed, wide, listed }: Entry): boolean {
  return !zombie && !blocked && (detailed === undefined || (wide && listed === undefined));
}
