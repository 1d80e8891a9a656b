// A copy of the program that a process runs. It may be deleted, exist in memory only, or lie in a file system that a
// program of the container serves: that one shows root nothing, and whoever reads it may wait for ever, as who asks for
// anything of a process that is held up in an exec. So a process of its own does this (suspect.ts), which can be killed;
// everything has a limit of time, and what is in memory is taken where the file cannot be.
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface CopiedProgram {
  readonly pid: number;
  /** As the kernel names it. */
  readonly program: string;
  /** `file`: the whole program, but no more than 16 MiB; `memory`: those parts of it that were used; `none`. */
  readonly kept: 'file' | 'memory' | 'none';
  /** Why it is not the file. */
  readonly reason?: string;
}

const programBytesMax = 16 * 1024 * 1024;
const limitMs = 5000;
const mapsMax = 65_536;
const pageBytes = 4096;
/** Of /proc/<pid>/pagemap (proc(5)): eight bytes for each page, of which the highest bit says that it is in memory. */
const pagemapEntryBytes = 8;
const presentBit = 0x80;

/** Never fails, and takes fifteen seconds at most. */
export async function copyProgram(pid: number, target: string): Promise<CopiedProgram> {
  let program = '';
  const held = await within(
    readlink(`/proc/${pid}/exe`).then((path) => {
      program = path;
    }),
  );
  if (held !== undefined) return { pid, program, kept: 'none', reason: held };
  const reason = await within(copyFile(pid, target));
  if (reason === undefined) return { pid, program, kept: 'file' };
  const alsoNot = await within(copyMemory(pid, program, `${target}.memory`));
  if (alsoNot === undefined) return { pid, program, kept: 'memory', reason };
  return { pid, program, kept: 'none', reason: `${reason}; ${alsoNot}` };
}

/** What is mapped where in a process; undefined where the container keeps it from being read. */
export async function mapsOf(pid: number): Promise<string | undefined> {
  let maps: string | undefined;
  await within(
    readFile(`/proc/${pid}/maps`, 'latin1').then((text) => {
      maps = text.slice(0, mapsMax);
    }),
  );
  return maps;
}

/** Why it failed, if it did. What goes on for too long is left to itself: it ends with this process. */
async function within(work: Promise<void>): Promise<string | undefined> {
  const limit = new AbortController();
  const over = delay(limitMs, 'it takes too long to read', { signal: limit.signal });
  const done = work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const reason = await Promise.race([done, over.catch(() => undefined)]);
  limit.abort();
  return reason;
}

async function copyFile(pid: number, target: string): Promise<void> {
  await using source = await open(`/proc/${pid}/exe`, 'r');
  await using copy = await created(target);
  const chunk = Buffer.allocUnsafe(1024 * 1024);
  for (let at = 0; at < programBytesMax; ) {
    const { bytesRead } = await source.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) break;
    await copy.write(chunk, 0, bytesRead, at);
    at += bytesRead;
  }
}

/** Each page that is in memory, at its place in the file. Others are not asked for: that would read the file. */
export async function copyMemory(pid: number, program: string, target: string): Promise<void> {
  const mappings = parseMappings(await readFile(`/proc/${pid}/maps`, 'latin1'), program);
  if (mappings.length === 0) throw new Error('nothing of it is in memory');
  await using memory = await open(`/proc/${pid}/mem`, 'r');
  await using pagemap = await open(`/proc/${pid}/pagemap`, 'r');
  let copy: FileHandle | undefined;
  try {
    const page = Buffer.allocUnsafe(pageBytes);
    for (const { start, end, offset } of mappings) {
      const count = Math.min((end - start) / pageBytes, programBytesMax / pageBytes);
      const flags = Buffer.alloc(count * pagemapEntryBytes);
      await pagemap.read(flags, 0, flags.length, (start / pageBytes) * pagemapEntryBytes);
      for (let at = 0; at < count; at += 1) {
        const isPresent = ((flags[at * pagemapEntryBytes + 7] ?? 0) & presentBit) !== 0;
        if (!isPresent || offset + at * pageBytes >= programBytesMax) continue;
        const { bytesRead } = await memory.read(page, 0, pageBytes, start + at * pageBytes);
        copy ??= await created(target);
        await copy.write(page, 0, bytesRead, offset + at * pageBytes);
      }
    }
  } finally {
    await copy?.close();
  }
  if (!copy) throw new Error('nothing of it is in memory');
}

function created(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
}

interface Mapping {
  readonly start: number;
  readonly end: number;
  /** In the file. */
  readonly offset: number;
}

/** Where a file is mapped, from the text of /proc/<pid>/maps. */
export function parseMappings(maps: string, file: string): Mapping[] {
  return maps.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ +(.*)$/.exec(line);
    const [, start = '', end = '', offset = '', path] = match ?? [];
    if (path !== file) return [];
    const number = (hex: string) => Number.parseInt(hex, 16);
    return [{ start: number(start), end: number(end), offset: number(offset) }];
  });
}
