// Reads one process from the host's /proc, which the container cannot falsify. Source: proc(5).
import { opendirSync } from 'node:fs';
import { readText } from '../linux/proc-file.ts';
import type { Allowance, Steps } from './allowance.ts';
import { blockedRead, type ProcReader } from './bounded-read.ts';
import { type Links, linksMax } from './proc-links.ts';

export interface ProcessReading {
  readonly pid: number;
  readonly procPath: ProcPath;
  readonly ppid: number;
  /** Ticks since boot; together with the pid a unique id. */
  readonly startTicks: number;
  readonly state: string;
  readonly comm: string;
  /** Target of /proc/<pid>/exe: the real program, whatever it calls itself. */
  readonly exe: string;
  readonly argv: readonly string[];
  /** Host uid. */
  readonly uid: number;
  /** Pid in the innermost pid namespace, which shows how many processes were started there. */
  readonly innerPid: number;
  /** Its network namespace. */
  readonly netns: string;
  /** Targets of descriptors 0, 1 and 2; an empty string if closed. */
  readonly std: readonly [string, string, string];
  /** Targets of all descriptors, for programs that `Interest.descriptors` selects. */
  readonly descriptors: readonly string[];
  readonly cpuTicks: number;
  readonly rssBytes: number;
  /** Bytes of all read and write calls (rchar and wchar of /proc/<pid>/io). */
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
/** Threads other than the first disappear as soon as they end. */
const endedThreadsMax = 8;

/** Parses /proc/<pid>/stat; the name may contain spaces and parentheses, so the last parenthesis counts. */
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

/** Host uid and innermost pid from /proc/<pid>/status. */
export function parseIds(text: string): { readonly uid: number; readonly innerPid: number } {
  const uid = /^Uid:\t(\d+)/m.exec(text)?.[1];
  const inner = /^NSpid:.*?(\d+)$/m.exec(text)?.[1];
  return { uid: Number(uid ?? -1), innerPid: Number(inner ?? 0) };
}

/** `123` of `socket:[123]`. */
export function socketInode(target: string): string | undefined {
  return /^socket:\[(\d+)\]$/.exec(target)?.[1];
}

/** The path of a process below /proc: its pid, or `<pid>/task/<tid>` if the first thread has ended and others have not. */
export type ProcPath = number | `${number}/task/${number}`;

/** Undefined if the process no longer exists. Some kernels (such as 6.18) block this and all other reads of a process in a blocked exec. */
export function statOf(
  place: ProcPath,
  reader: ProcReader,
): ProcessStat | undefined | typeof blockedRead {
  const text = reader.read(`/proc/${place}/stat`, 'latin1');
  return typeof text === 'string' ? parseStat(text) : text;
}

/** A living thread of a process whose first thread has ended; undefined if there is none. */
export function livingThread(pid: number, reader: ProcReader): ProcPath | undefined {
  try {
    using directory = opendirSync(`/proc/${pid}/task`);
    for (
      let entry = directory.readSync(), seen = 0;
      entry;
      entry = directory.readSync(), seen += 1
    ) {
      const place: ProcPath = `${pid}/task/${Number(entry.name)}`;
      const stat = statOf(place, reader);
      if (stat === blockedRead) return undefined;
      if (stat && stat.state !== 'Z' && stat.state !== 'X') return place;
      if (seen === endedThreadsMax) return undefined;
    }
  } catch {
    // The process no longer exists.
  }
  return undefined;
}

/** Undefined while the container blocks the read. */
export function programOf(place: ProcPath, reader: ProcReader): string | undefined {
  return linksOf(place, ['exe'], reader)?.[0];
}

export function idsOf(place: ProcPath): Pick<ProcessReading, 'uid' | 'innerPid'> {
  return parseIds(readText(`/proc/${place}/status`, { encoding: 'latin1' }) ?? '');
}

/** The kernel's name (`net:[4026531840]`); empty if the process no longer exists, undefined while it cannot be read. */
export function networkNamespace(place: ProcPath | 'self', reader: ProcReader): string | undefined {
  return linksOf(place, ['ns/net'], reader)?.[0];
}

/** Undefined while the container blocks the read. */
export function streamsOf(
  place: ProcPath,
  reader: ProcReader,
): Pick<ProcessReading, 'std' | 'netns'> | undefined {
  const links = linksOf(place, ['fd/0', 'fd/1', 'fd/2', 'ns/net'], reader);
  if (!links) return undefined;
  const [one = '', two = '', three = '', netns = ''] = links;
  return { std: [one, two, three], netns };
}

/** Undefined while the container blocks the read. */
export function argvOf(place: ProcPath, reader: ProcReader): string[] | undefined {
  const text = reader.read(`/proc/${place}/cmdline`);
  return text === blockedRead ? undefined : (text ?? '').replace(/\0+$/, '').split('\0');
}

/** Undefined while the container blocks the read. */
export function ioOf(
  pid: number,
  reader: ProcReader,
): Pick<ProcessReading, 'readBytes' | 'writtenBytes'> | undefined {
  const text = reader.read(`/proc/${pid}/io`, 'latin1');
  if (text === blockedRead) return undefined;
  const number = (name: string) =>
    Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? 0);
  return { readBytes: number('rchar'), writtenBytes: number('wchar') };
}

/** Targets of its descriptors. `rest`: whether there are more, and why they were not read. */
export function* descriptorsOf(
  place: ProcPath,
  most: number,
  allowance: Allowance,
  reader: ProcReader,
): Steps<{ readonly targets: string[]; readonly rest: 'none' | 'too many' | 'blocked' }> {
  const targets: string[] = [];
  let count = 0;
  for (const names of nameChunks(`/proc/${place}/fd`, linksMax)) {
    const fitting = names.slice(0, most - count).map((name) => `fd/${name}`);
    const links = linksOf(place, fitting, reader);
    if (!links) return { targets, rest: 'blocked' };
    targets.push(...links);
    count += names.length;
    if (count > most) return { targets, rest: 'too many' };
    yield* allowance.yieldIfDue();
  }
  return { targets, rest: 'none' };
}

/** Names in a directory, in chunks of `most`. */
function* nameChunks(path: string, most: number): Generator<readonly string[]> {
  let names: string[] = [];
  try {
    using directory = opendirSync(path);
    for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
      if (names.push(entry.name) < most) continue;
      yield names;
      names = [];
    }
  } catch {
    // The process ended.
  }
  if (names.length > 0) yield names;
}

function linksOf(
  place: ProcPath | 'self',
  names: readonly string[],
  reader: ProcReader,
): Links | undefined {
  const links = reader.links(names.map((name) => `/proc/${place}/${name}`));
  return links === blockedRead ? undefined : links;
}
