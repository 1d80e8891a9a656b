// The host as `coi setup` sees it: programs, files and processes, behind an interface that tests can fake.
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { mountPoints } from '../linux/mounts.ts';
import { runProgram, startProgram } from '../process/program.ts';

export interface RunOptions {
  /** Default two minutes; then the program gets SIGTERM and the status is 124. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The output goes to our stderr instead of being captured. */
  readonly show?: boolean;
}

export interface RunResult {
  /** 127 if the program does not exist, 124 after a timeout, 128 + n after a signal. */
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

export interface HostProcess {
  readonly pid: number;
  /** The name of the program, at most 15 characters (`comm` in proc(5)). */
  readonly name: string;
}

export interface DetachedProcess {
  readonly pid: number;
  /** Resolves if it ends while this process runs. */
  readonly ended: Promise<void>;
}

/** Everything that setup may do to a host. Independent of coi. */
export interface SetupHost {
  /** The effective uid of this process. */
  readonly uid: number;
  /** Ids of all groups of this process. */
  readonly groups: readonly number[];
  run(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts a program in its own session; it outlives this process and appends its output to `logPath`. Throws if it cannot be started. */
  startDetached(
    argv: readonly string[],
    options: { logPath: string; env?: Readonly<Record<string, string>> },
  ): Promise<DetachedProcess>;
  /** Undefined if the file does not exist or cannot be read. */
  readText(path: string): Promise<string | undefined>;
  /** Atomic: readers see the old file or the new one. Parent directories are created. */
  writeText(path: string, text: string, mode: number): Promise<void>;
  /** For files in /proc and /sys, which cannot be replaced by a rename. */
  overwrite(path: string, text: string): Promise<void>;
  /** The entry itself: a link is not followed. */
  kind(path: string): Promise<PathKind>;
  /** Sorted names in a directory; empty if it is missing or cannot be read. */
  names(path: string): Promise<string[]>;
  /** The target of a link; undefined if it is not a link or cannot be read. */
  linkTarget(path: string): Promise<string | undefined>;
  /** Free space on the file system of that path, or of its nearest existing parent. */
  freeBytes(path: string): Promise<number>;
  /** Processes, without zombies. */
  processes(): Promise<HostProcess[]>;
  /** Mount points of this mount namespace, in mount order. */
  mountPoints(): Promise<string[]>;
}

const runLimitMs = 120_000;

export function openSetupHost(): SetupHost {
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
    // A program that changes the host, such as apt, gets the chance to clean up.
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

/** An ordinary user's PATH may lack the sbin directories. */
function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
}

async function startDetached(
  argv: readonly string[],
  options: { logPath: string; env?: Readonly<Record<string, string>> },
): Promise<DetachedProcess> {
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
      // The umask may have cleared bits.
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

/** Removes temporary files of writers that were killed before the rename. */
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
      // For a second the kernel still answers lstat for a dead FUSE server; statfs always asks the server.
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

async function processes(): Promise<HostProcess[]> {
  const pids = (await fs.readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await orUndefined(() => fs.readFile(`/proc/${pid}/stat`, 'utf8'));
      // `pid (name) state ...`: the name may contain anything, including parentheses. Zombies do not count.
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
    // The caller treats anything unreadable as absent.
    return undefined;
  }
}
