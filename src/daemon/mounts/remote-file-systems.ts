// Detects unresponsive file systems. Access to a file system whose server is gone blocks forever, and coid has a single
// thread. So another process tries first, and coid avoids an unresponsive file system until it responds.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findHungPath, isResponsive } from '../../host/fs/meta/hung-mounts.ts';
import { formatDevice, MountTable, type RemoteMount } from '../../host/fs/meta/remote-mounts.ts';
import { unresponsiveDirectory } from '../../session/plan/unresponsive-directory.ts';
import type { Log } from '../log.ts';

export interface RemoteFileSystemsParts {
  readonly runDir: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called when a file system does not respond. */
  readonly onUnresponsive: (device: string) => void;
  /** Called when an unresponsive file system responds again. */
  readonly onResponsive: () => void;
}

/** Directories that a user names. */
export interface NamedDirectories {
  readonly workspace: string;
  readonly mounts: readonly { readonly source: string }[];
}

interface PendingCheck {
  readonly mount: RemoteMount;
  /** Resolves when it responds, or after the time limit. */
  readonly soon: Promise<void>;
  isUnresponsive: boolean;
}

/** A healthy file system responds within milliseconds; the rest is for a busy host. */
const noticeMs = 3000;
/** Interval of checks while another process works there. */
const duringMs = 5000;
/** Interval of checks of sessions' file systems. */
const everyMs = 10_000;
/** Maximum age of a check of other file systems, to which a link in a workspace may lead. */
const othersMs = 10_000;

export class RemoteFileSystems {
  readonly #parts: RemoteFileSystemsParts;
  readonly #mounts: string;
  /** By device: one process at a time checks each, and ends when it responds. */
  readonly #pending = new Map<string, PendingCheck>();
  readonly #answeredMs = new Map<string, number>();
  #read: { readonly text: string; readonly table: MountTable } | undefined;

  constructor(parts: RemoteFileSystemsParts) {
    this.#parts = parts;
    this.#mounts = join(parts.runDir, 'mounts');
    // A session may end at any moment, and Incus then accesses its mounts.
    const timer = setInterval(() => void this.#checkOwn(), everyMs).unref();
    parts.signal.addEventListener('abort', () => clearInterval(timer));
  }

  /**
   * Checks the file systems of sessions and of these paths, and all others regularly. Returns at once if all are local,
   * and does not wait for one that is known to be unresponsive.
   */
  async check(paths: readonly string[] = []): Promise<void> {
    const table = this.#table();
    for (const [device, { mount }] of this.#pending)
      if (!table.has(device)) this.#forget(device, mount);
    for (const device of this.#answeredMs.keys())
      if (!table.has(device)) this.#answeredMs.delete(device);
    const { remoteMounts: all } = table;
    if (all.length === 0) return;
    const isOwn = ({ point }: RemoteMount) => point.startsWith(`${this.#mounts}/`);
    const due = all.filter((mount) => isOwn(mount) || this.#ageMs(mount.device) > othersMs);
    const named = paths.flatMap((path) =>
      table.remoteMountsOn(path).filter(({ type }) => type !== 'autofs'),
    );
    const wanted = new Set([...due, ...named].map(({ device }) => device));
    // Report the user's mount point rather than coid's.
    const known = all.toSorted((one, other) => Number(isOwn(other)) - Number(isOwn(one)));
    const byDevice = new Map(
      known.filter(({ device }) => wanted.has(device)).map((mount) => [mount.device, mount]),
    );
    await Promise.all([...byDevice.values()].map((mount) => this.#checkMount(mount)));
  }

  /** Whether any was unresponsive at the last check. */
  get isAnyUnresponsive(): boolean {
    return [...this.#pending.values()].some(({ isUnresponsive }) => isUnresponsive);
  }

  /** Whether the path lies on an unresponsive file system, as of the last check. */
  isUnresponsive(path: string): boolean {
    return this.#unresponsiveMountOf(path) !== undefined;
  }

  /** Like `isUnresponsive`, by the device number of stat. */
  isUnresponsiveDevice(device: number): boolean {
    return this.#pending.get(formatDevice(device))?.isUnresponsive ?? false;
  }

  /** Mount points of unresponsive file systems. */
  get unresponsive(): readonly string[] {
    return [...this.#pending.values()]
      .filter(({ isUnresponsive }) => isUnresponsive)
      .map(({ mount }) => mount.point);
  }

  /** For directories that a user names, links included. Throws `workspace-invalid` or `mount-invalid`. */
  async requireResponsive({ workspace, mounts }: NamedDirectories): Promise<void> {
    const paths = [workspace, ...mounts.map(({ source }) => source)];
    await this.check(paths);
    const known = paths.flatMap((path) => {
      const mount = this.#unresponsiveMountOf(path);
      return mount ? [{ path, mount }] : [];
    });
    const found = known[0] ?? (await findHungPath(paths));
    if (!found) return;
    const code = found.path === workspace ? 'workspace-invalid' : 'mount-invalid';
    throw unresponsiveDirectory(found.path, found.mount, code);
  }

  /** Runs work of another process there, and aborts it if the file system becomes unresponsive. */
  async whileResponsive<Result>(
    path: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    if (this.#table().remoteMountsOn(path).length === 0) return work(signal);
    const held = new AbortController();
    const timer = setInterval(() => {
      void this.check([path]).then(() => {
        if (this.isUnresponsive(path)) held.abort();
      });
    }, duringMs);
    try {
      return await work(AbortSignal.any([signal, held.signal]));
    } finally {
      clearInterval(timer);
    }
  }

  async #checkOwn(): Promise<void> {
    const isOwn = ({ point }: RemoteMount) => point.startsWith(`${this.#mounts}/`);
    if (this.#table().remoteMounts.some(isOwn)) await this.check();
  }

  /** The current mount table. It is read for every check but only parsed after a change, as a host may have thousands of mounts. */
  #table(): MountTable {
    const text = readFileSync('/proc/self/mountinfo', 'utf8');
    if (text !== this.#read?.text) this.#read = { text, table: new MountTable(text) };
    return this.#read.table;
  }

  #unresponsiveMountOf(path: string): RemoteMount | undefined {
    if (!this.isAnyUnresponsive) return undefined;
    return this.#table()
      .remoteMountsOn(path)
      .find(({ device }) => this.#pending.get(device)?.isUnresponsive);
  }

  #checkMount(mount: RemoteMount): Promise<void> {
    const known = this.#pending.get(mount.device);
    if (known) return known.isUnresponsive ? Promise.resolve() : known.soon;
    const { log, signal } = this.#parts;
    const { promise: soon, resolve } = Promise.withResolvers<void>();
    const question: PendingCheck = { mount, soon, isUnresponsive: false };
    this.#pending.set(mount.device, question);
    const notice = setTimeout(() => {
      question.isUnresponsive = true;
      log('warning', 'files-held', { mount: mount.point, type: mount.type });
      this.#parts.onUnresponsive(mount.device);
      resolve();
    }, noticeMs);
    void isResponsive([mount.point], signal).then(() => {
      clearTimeout(notice);
      this.#answeredMs.set(mount.device, performance.now());
      if (this.#pending.get(mount.device) === question) this.#forget(mount.device, mount);
      resolve();
    });
    return soon;
  }

  #ageMs(device: string): number {
    return performance.now() - (this.#answeredMs.get(device) ?? Number.NEGATIVE_INFINITY);
  }

  #forget(device: string, { point }: RemoteMount): void {
    const wasHeld = this.#pending.get(device)?.isUnresponsive ?? false;
    this.#pending.delete(device);
    if (!wasHeld || this.#parts.signal.aborted) return;
    this.#parts.log('info', 'files-freed', { mount: point });
    this.#parts.onResponsive();
  }
}
