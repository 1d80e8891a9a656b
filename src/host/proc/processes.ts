// One process as the host's /proc shows it, where nothing inside can lie about it. Source: proc(5).
import { opendirSync } from 'node:fs';
import { readText } from '../linux/proc-file.ts';
import type { Allowance, Steps } from './allowance.ts';
import { type ProcReader, waits } from './patient-read.ts';
import { type Links, linksMax } from './proc-links.ts';

export interface ProcessReading {
  readonly pid: number;
  readonly place: Place;
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
  /** Targets of all descriptors, for the programs that `Interest.descriptors` names. */
  readonly descriptors: readonly string[];
  readonly cpuTicks: number;
  readonly rssBytes: number;
  /** Bytes read and written by system calls, whatever from or to (rchar and wchar of /proc/<pid>/io). */
  readonly readBytes: number;
  readonly writtenBytes: number;
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
/** Besides the first one, those that have ended are gone at once. */
const endedThreadsMax = 8;

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

/** `123` of `socket:[123]`. */
export function socketInode(target: string): string | undefined {
  return /^socket:\[(\d+)\]$/.exec(target)?.[1];
}

/** Where a process is below /proc: its number, or `<pid>/task/<tid>` where its first thread has ended and others have not. */
export type Place = number | `${number}/task/${number}`;

/** Undefined if it is gone. Some kernels (6.18 is one) give neither this nor anything else of a process that is held up in an exec. */
export function statOf(place: Place, reader: ProcReader): ProcessStat | undefined | typeof waits {
  const text = reader.read(`/proc/${place}/stat`, 'latin1');
  return typeof text === 'string' ? parseStat(text) : text;
}

/** Of a process whose first thread has ended: one that lives; undefined if none does. */
export function livingThread(pid: number, reader: ProcReader): Place | undefined {
  try {
    using directory = opendirSync(`/proc/${pid}/task`);
    for (
      let entry = directory.readSync(), seen = 0;
      entry;
      entry = directory.readSync(), seen += 1
    ) {
      const place: Place = `${pid}/task/${Number(entry.name)}`;
      const stat = statOf(place, reader);
      if (stat === waits) return undefined;
      if (stat && stat.state !== 'Z' && stat.state !== 'X') return place;
      if (seen === endedThreadsMax) return undefined;
    }
  } catch {
    // It is gone.
  }
  return undefined;
}

/** Undefined while a container keeps us from reading it. */
export function programOf(place: Place, reader: ProcReader): string | undefined {
  return linksOf(place, ['exe'], reader)?.[0];
}

export function idsOf(place: Place): Pick<ProcessReading, 'uid' | 'innerPid'> {
  return parseStatus(readText(`/proc/${place}/status`, { encoding: 'latin1' }) ?? '');
}

/** As the kernel names it (`net:[4026531840]`); empty if the process is gone, undefined while it cannot be read. */
export function networkNamespace(place: Place | 'self', reader: ProcReader): string | undefined {
  return linksOf(place, ['ns/net'], reader)?.[0];
}

/** Undefined while a container keeps us from reading it. */
export function streamsOf(
  place: Place,
  reader: ProcReader,
): Pick<ProcessReading, 'std' | 'netns'> | undefined {
  const links = linksOf(place, ['fd/0', 'fd/1', 'fd/2', 'ns/net'], reader);
  if (!links) return undefined;
  const [one = '', two = '', three = '', netns = ''] = links;
  return { std: [one, two, three], netns };
}

/** Undefined while a container keeps us from reading it. */
export function argvOf(place: Place, reader: ProcReader): string[] | undefined {
  const text = reader.read(`/proc/${place}/cmdline`);
  return text === waits ? undefined : (text ?? '').replace(/\0+$/, '').split('\0');
}

/** Undefined while a container keeps us from reading it. */
export function ioOf(
  pid: number,
  reader: ProcReader,
): Pick<ProcessReading, 'readBytes' | 'writtenBytes'> | undefined {
  const text = reader.read(`/proc/${pid}/io`, 'latin1');
  if (text === waits) return undefined;
  const number = (name: string) =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? 0);
  return { readBytes: number('rchar'), writtenBytes: number('wchar') };
}

/** Targets of its descriptors, and whether there are others: too many, or such as a container keeps us from reading. */
export function* descriptorsOf(
  place: Place,
  most: number,
  allowance: Allowance,
  reader: ProcReader,
): Steps<{ readonly targets: string[]; readonly more: boolean }> {
  const targets: string[] = [];
  let count = 0;
  for (const names of someOf(`/proc/${place}/fd`, linksMax)) {
    const fitting = names.slice(0, most - count).map((name) => `fd/${name}`);
    const links = linksOf(place, fitting, reader);
    if (!links) return { targets, more: true };
    targets.push(...links);
    count += names.length;
    if (count > most) return { targets, more: true };
    yield* allowance.turn();
  }
  return { targets, more: false };
}

/** Names in a directory, that many at a time. */
function* someOf(path: string, most: number): Generator<readonly string[]> {
  let names: string[] = [];
  try {
    using directory = opendirSync(path);
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      if (names.push(entry.name) < most) continue;
      yield names;
      names = [];
    }
  } catch {
    // It ended.
  }
  if (names.length > 0) yield names;
}

function linksOf(
  place: Place | 'self',
  names: readonly string[],
  reader: ProcReader,
): Links | undefined {
  const links = reader.links(names.map((name) => `/proc/${place}/${name}`));
  return links === waits ? undefined : links;
}
