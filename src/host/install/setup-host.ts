// The host as `coi setup` sees it: programs, files and processes, behind one interface that a test can play.
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mountPoints } from '../linux/mounts.ts';
import { runProgram, startProgram } from '../process/program.ts';

export interface RunOptions {
  /** Two minutes where not given; the program gets SIGTERM then and status 124 is returned. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Its output goes to our stderr instead of being kept. */
  readonly show?: boolean;
}

export interface RunResult {
  /** 127 if there is no such program, 124 if it took too long, 128 + n after a signal. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type PathKind =
  | 'file'
  | 'directory'
  | 'link'
  | 'socket'
  | 'other'
  | 'missing'
  /** A mount whose server is gone ("Transport endpoint is not connected"). */
  | 'stale'
  | 'forbidden';

export interface Process {
  readonly pid: number;
  /** The name of the program, at most 15 characters (`comm` in proc(5)). */
  readonly name: string;
}

export interface Started {
  readonly pid: number;
  /** Resolves if it ends while we still run. */
  readonly ended: Promise<void>;
}

/** What setup may do to a host. Nothing here knows what coi is. */
export interface Machine {
  /** Effective uid of this process. */
  readonly uid: number;
  /** Ids of all groups whose rights this process has. */
  readonly groups: readonly number[];
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a program in a session of its own; it outlives us, and its output goes to the end of `logPath`. Throws if it cannot be started. */
  startDetached(
    argv: readonly string[],
    options: { logPath: string; env?: Readonly<Record<string, string>> },
  ): Promise<Started>;
  /** Undefined if there is no such file or it may not be read. */
  readText(path: string): Promise<string | undefined>;
  /** Readers see the old file or the new one; parent directories are made. */
  writeText(path: string, text: string, mode: number): Promise<void>;
  /** For files of /proc and /sys, which cannot be replaced by renaming. */
  overwrite(path: string, text: string): Promise<void>;
  /** The entry itself: a link is not followed. */
  kind(path: string): Promise<PathKind>;
  /** Names in a directory, sorted; none if it is missing or may not be read. */
  names(path: string): Promise<string[]>;
  /** Where a link points; undefined if it is none or may not be read. */
  linkTarget(path: string): Promise<string | undefined>;
  /** Bytes that a program may still write on the file system of that path, or of its nearest parent that exists. */
  freeBytes(path: string): Promise<number>;
  /** Those that are alive. */
  processes(): Promise<Process[]>;
  /** Of this mount namespace, in the order in which they were made. */
  mountPoints(): Promise<string[]>;
}

const runLimitMs = 120_000;

export function thisMachine(): Machine {
  return {
    uid: process.geteuid?.() ?? -1,
    groups: [process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])],
    run,
    startDetached,
    readText: async (path) => orUndefined(() => fs.readFile(path, 'utf8')),
    writeText,
    overwrite: (path, text) => fs.writeFile(path, text),
    kind: pathKind,
    names: async (path) => (await orUndefined(() => fs.readdir(path)))?.sort() ?? [],
    linkTarget: async (path) => orUndefined(() => fs.readlink(path)),
    freeBytes,
    processes,
    mountPoints: async () => mountPoints(await fs.readFile('/proc/self/mountinfo', 'utf8')),
  };
}

async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { signal, show, timeoutMs = runLimitMs } = options;
  const end = await runProgram(argv, {
    env: { ...process.env, PATH: searchPath(), LC_ALL: 'C.UTF-8', ...options.env },
    ...(show && { output: 'stderr' }),
    limitMs: timeoutMs,
    signal,
    // What changes a host, as apt does, gets the time to leave it in order.
    endWith: 'SIGTERM',
  });
  if (end.failure) {
    if (signal?.aborted) throw signal.reason;
    const status = end.failure.code === 'ENOENT' ? 127 : 126;
    return { status, stdout: '', stderr: end.failure.message };
  }
  const status = end.isLate ? 124 : (end.status ?? (end.signal ? 143 : 1));
  return { status, stdout: end.stdout, stderr: end.stderr };
}

/** An ordinary user's PATH may lack the directories in which a host's own programs are. */
function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
}

async function startDetached(
  argv: readonly string[],
  options: { logPath: string; env?: Readonly<Record<string, string>> },
): Promise<Started> {
  mkdirSync(dirname(options.logPath), { recursive: true });
  const log = openSync(options.logPath, 'a', 0o640);
  const child = startProgram(argv, {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
    env: { ...process.env, PATH: searchPath(), ...options.env },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } finally {
    closeSync(log);
  }
  child.unref();
  return { pid: child.pid ?? -1, ended };
}

async function writeText(path: string, text: string, mode: number): Promise<void> {
  await fs.mkdir(dirname(path), { recursive: true });
  await sweepTemporaries(path);
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = await fs.open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      // The umask may have taken bits away.
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, path);
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
}

/** What a writer left that was killed before its rename. */
async function sweepTemporaries(path: string): Promise<void> {
  const name = basename(path);
  for (const other of await fs.readdir(dirname(path)))
    if (other.startsWith(`${name}.`) && /^[0-9a-f]{12}$/.test(other.slice(name.length + 1)))
      await fs.rm(join(dirname(path), other), { force: true });
}

async function pathKind(path: string): Promise<PathKind> {
  try {
    const stat = await fs.lstat(path);
    if (stat.isFile()) return 'file';
    if (stat.isSymbolicLink()) return 'link';
    if (stat.isDirectory()) {
      // For a second the kernel answers lstat for a FUSE server that is gone; statfs always asks the server.
      await fs.statfs(path);
      return 'directory';
    }
    return stat.isSocket() ? 'socket' : 'other';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    if (code === 'ENOTCONN') return 'stale';
    if (code === 'EACCES') return 'forbidden';
    throw error;
  }
}

async function freeBytes(path: string): Promise<number> {
  for (let at = path; ; at = dirname(at)) {
    const stat = await orUndefined(() => fs.statfs(at));
    if (stat) return stat.bavail * stat.bsize;
    if (at === dirname(at)) return 0;
  }
}

async function processes(): Promise<Process[]> {
  const pids = (await fs.readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await orUndefined(() => fs.readFile(`/proc/${pid}/stat`, 'utf8'));
      // `pid (name) state ...`: the name may hold anything, parentheses included. A zombie is dead already.
      const match = /^\d+ \((.*)\) (\S)/s.exec(stat ?? '');
      return match && match[2] !== 'Z' ? [{ pid: Number(pid), name: match[1] ?? '' }] : [];
    }),
  );
  return found.flat();
}

async function orUndefined<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch {
    // Whatever the reason, the caller treats what cannot be seen as absent.
    return undefined;
  }
}
