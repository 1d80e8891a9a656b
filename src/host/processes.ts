// Processes of a container as the host's /proc shows them, where nothing inside can lie about them.
// Source: proc(5). Dear readings are made when a process is new or has become another program, the rest at every sample.
import { readdirSync, readlinkSync } from 'node:fs';
import { readText } from './read-text.ts';

export interface ProcessReading {
  readonly pid: number;
  readonly ppid: number;
  /** Since boot; with the pid it names a process for ever. */
  readonly startTicks: number;
  readonly state: string;
  readonly comm: string;
  /** Target of /proc/<pid>/exe: the program itself, whatever it calls itself. */
  readonly exe: string;
  readonly argv: readonly string[];
  /** Host uid. */
  readonly uid: number;
  /** Pid in the innermost pid namespace: how many were started there so far. */
  readonly innerPid: number;
  /** Inode of its network namespace. */
  readonly netns: string;
  /** Targets of descriptors 0, 1 and 2; an empty text where it is closed. */
  readonly std: readonly [string, string, string];
  /** Targets of all descriptors, for the programs that `looksAtAll` names. */
  readonly descriptors: readonly string[];
  readonly cpuTicks: number;
  readonly rssBytes: number;
  /** Bytes read and written by system calls, whatever from or to (rchar and wchar of /proc/<pid>/io). */
  readonly readBytes: number;
  readonly writtenBytes: number;
}

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

/** Fields of /proc/<pid>/stat. */
export interface ProcessStat {
  readonly comm: string;
  readonly state: string;
  readonly ppid: number;
  readonly cpuTicks: number;
  readonly startTicks: number;
  readonly rssBytes: number;
}

const pageBytes = 4096;
const argvBytesMax = 4096;
const descriptorsMax = 256;
/** In details, the rest is only counted: a fork bomb must not stop whoever watches it. */
const detailedMax = 1024;
/** Every process is looked at closely once in that many samples. */
const rotation = 8;

/** Parses /proc/<pid>/stat; the name may hold blanks and brackets, so the last bracket counts. */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const number = (field: number) => Number(fields[field - 3] ?? 0);
  return {
    comm: text.slice(open + 1, close),
    state: fields[0] ?? '?',
    ppid: number(4),
    cpuTicks: number(14) + number(15),
    startTicks: number(22),
    rssBytes: number(24) * pageBytes,
  };
}

/** Host uid and innermost pid of /proc/<pid>/status. */
export function parseStatus(text: string): { readonly uid: number; readonly innerPid: number } {
  const uid = /^Uid:\t(\d+)/m.exec(text)?.[1];
  const inner = /^NSpid:.*?(\d+)$/m.exec(text)?.[1];
  return { uid: Number(uid ?? -1), innerPid: Number(inner ?? 0) };
}

/** Remembers what it saw of a container's processes, so that a quiet one costs a few microseconds. */
export class ProcessTable {
  readonly #interest: Interest;
  #known = new Map<number, ProcessReading>();
  #round = 0;

  constructor(interest: Interest) {
    this.#interest = interest;
  }

  /** Readings of those pids that still live. Not more than 1024: the newest are left out then. */
  read(pids: readonly number[]): ProcessReading[] {
    this.#round += 1;
    const next = new Map<number, ProcessReading>();
    for (const pid of pids.slice(0, detailedMax)) {
      const reading = this.#one(pid, this.#known.get(pid));
      if (reading) next.set(pid, reading);
    }
    this.#known = next;
    return [...next.values()];
  }

  #one(pid: number, known: ProcessReading | undefined): ProcessReading | undefined {
    const text = readText(`/proc/${pid}/stat`, { encoding: 'latin1' });
    const stat = text === undefined ? undefined : parseStat(text);
    // A zombie has neither a program nor descriptors.
    if (!stat || stat.state === 'Z' || stat.state === 'X') return undefined;
    const exe = link(`/proc/${pid}/exe`);
    const before = known?.startTicks === stat.startTicks ? known : undefined;
    const same = before?.exe === exe && before.comm === stat.comm;
    const turn = pid % rotation === this.#round % rotation;
    const closely = !same || turn || this.#interest.closely({ exe, comm: stat.comm });
    const io = before && before.cpuTicks === stat.cpuTicks && !turn ? before : ioOf(pid);
    const rare = same && !turn ? before : rareOf(pid);
    const argv = closely ? argvOf(pid) : before.argv;
    return {
      pid,
      ...stat,
      exe,
      argv,
      uid: rare.uid,
      innerPid: rare.innerPid,
      netns: rare.netns,
      std: closely ? standardStreams(pid) : before.std,
      descriptors: this.#interest.descriptors({ exe, comm: stat.comm, argv })
        ? descriptorsOf(pid)
        : [],
      readBytes: io.readBytes,
      writtenBytes: io.writtenBytes,
    };
  }
}

/** Those of the pids that hold a socket with one of these inodes. Dear: for the few sockets that matter. */
export function holdersOf(
  pids: readonly number[],
  inodes: ReadonlySet<string>,
): Map<string, number> {
  const holders = new Map<string, number>();
  for (const pid of pids) {
    if (holders.size === inodes.size) break;
    for (const target of descriptorsOf(pid)) {
      const inode = socketInode(target);
      if (inode !== undefined && inodes.has(inode) && !holders.has(inode)) holders.set(inode, pid);
    }
  }
  return holders;
}

/** `123` of `socket:[123]`. */
export function socketInode(target: string): string | undefined {
  return /^socket:\[(\d+)\]$/.exec(target)?.[1];
}

function rareOf(pid: number): Pick<ProcessReading, 'uid' | 'innerPid' | 'netns'> {
  const status = readText(`/proc/${pid}/status`, { encoding: 'latin1' }) ?? '';
  return { ...parseStatus(status), netns: networkNamespace(pid) };
}

/** As the kernel names it (`net:[4026531840]`); empty if the process is gone. */
export function networkNamespace(pid: number | 'self'): string {
  return link(`/proc/${pid}/ns/net`);
}

function argvOf(pid: number): string[] {
  const text = readText(`/proc/${pid}/cmdline`, { maxBytes: argvBytesMax }) ?? '';
  return text.replace(/\0+$/, '').split('\0');
}

function ioOf(pid: number): Pick<ProcessReading, 'readBytes' | 'writtenBytes'> {
  const text = readText(`/proc/${pid}/io`, { encoding: 'latin1' }) ?? '';
  const number = (name: string) =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { readBytes: number('rchar'), writtenBytes: number('wchar') };
}

function standardStreams(pid: number): [string, string, string] {
  return [link(`/proc/${pid}/fd/0`), link(`/proc/${pid}/fd/1`), link(`/proc/${pid}/fd/2`)];
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .slice(0, descriptorsMax)
      .map((fd) => link(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
