// Copies the program of a process. The file may be deleted, exist only in memory, or lie on a FUSE file system that the
// container serves: root may see nothing there, and a read may block forever, like any access to a process that is blocked
// in an exec. So a separate process does this (suspect.ts), which can be killed. Every step has a time limit, and if the
// file cannot be read, its pages in memory are copied.
import { constants } from 'node:fs';
import { type FileHandle, open, readFile, readlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

export interface CopiedProgram {
  readonly pid: number;
  /** Path, as the kernel shows it. */
  readonly program: string;
  /** `file`: the whole program, up to 16 MiB; `memory`: the pages in memory; `none`. */
  readonly kept: 'file' | 'memory' | 'none';
  /** Why the file could not be copied. */
  readonly reason?: string;
}

const programBytesMax = 16 * 1024 * 1024;
const limitMs = 5000;
const mapsMax = 65_536;
const pageBytes = 4096;
/** /proc/<pid>/pagemap (proc(5)): eight bytes per page; the highest bit means "in memory". */
const pagemapEntryBytes = 8;
const presentBit = 0x80;

/** Never fails; takes at most 15 seconds. */
export async function copyProgram(pid: number, target: string): Promise<CopiedProgram> {
  let program = '';
  const held = await runWithLimit(
    readlink(`/proc/${pid}/exe`).then((path) => {
      program = path;
    }),
  );
  if (held !== undefined) return { pid, program, kept: 'none', reason: held };
  const reason = await runWithLimit(copyFile(pid, target));
  if (reason === undefined) return { pid, program, kept: 'file' };
  const alsoNot = await runWithLimit(copyMemory(pid, program, `${target}.memory`));
  if (alsoNot === undefined) return { pid, program, kept: 'memory', reason };
  return { pid, program, kept: 'none', reason: `${reason}; ${alsoNot}` };
}

/** The memory map of a process; undefined if the container blocks reading it. */
export async function readMaps(pid: number): Promise<string | undefined> {
  let maps: string | undefined;
  await runWithLimit(
    readFile(`/proc/${pid}/maps`, 'latin1').then((text) => {
      maps = text.slice(0, mapsMax);
    }),
  );
  return maps;
}

/** The reason of a failure or timeout, if any. Work that times out is abandoned: it ends with this process. */
async function runWithLimit(work: Promise<void>): Promise<string | undefined> {
  const limit = new AbortController();
  const over = delay(limitMs, 'reading it took too long', { signal: limit.signal });
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
  await using copy = await createFile(target);
  const chunk = Buffer.allocUnsafe(1024 * 1024);
  for (let at = 0; at < programBytesMax; ) {
    const { bytesRead } = await source.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) break;
    await copy.write(chunk, 0, bytesRead, at);
    at += bytesRead;
  }
}

/** Copies each page in memory to its offset in the file. Other pages are skipped: reading them would read the file. */
export async function copyMemory(pid: number, program: string, target: string): Promise<void> {
  const mappings = parseMappings(await readFile(`/proc/${pid}/maps`, 'latin1'), program);
  if (mappings.length === 0) throw new Error('none of it is in memory');
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
        copy ??= await createFile(target);
        await copy.write(page, 0, bytesRead, offset + at * pageBytes);
      }
    }
  } finally {
    await copy?.close();
  }
  if (!copy) throw new Error('none of it is in memory');
}

function createFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
}

interface Mapping {
  readonly start: number;
  readonly end: number;
  /** Offset in the file. */
  readonly offset: number;
}

/** Parses the mappings of a file from /proc/<pid>/maps. */
export function parseMappings(maps: string, file: string): Mapping[] {
  return maps.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ +(.*)$/.exec(line);
    const [, start = '', end = '', offset = '', path] = match ?? [];
    if (path !== file) return [];
    const number = (hex: string) => Number.parseInt(hex, 16);
    return [{ start: number(start), end: number(end), offset: number(offset) }];
  });
}
