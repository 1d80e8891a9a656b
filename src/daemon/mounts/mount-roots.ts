// The directories mounted for each session, in <state dir>/mounts/<id>.json. Only coid writes these files, before it makes
// the mounts, and keeps them until all work on the mounts is done. Users and agents can change names, so whatever is
// opened later must have the recorded identity.
import { closeSync, rmSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { MountRecord, MountRequest } from '../../coid-api/session-protocol.ts';
import {
  bootId,
  type FileIdentity,
  identityOf,
  isIdentity,
  isSameFile,
} from '../../host/fs/meta/identity.ts';
import { pathsOfMounts } from '../../host/fs/meta/moved-directory.ts';
import { type OpenSource, openWithoutLinks, parentStats } from '../../host/fs/open-mount-source.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import { readState, stateFiles, writeState } from '../state-file.ts';
import type { RemoteFileSystems } from './remote-file-systems.ts';
import { isTreeId } from './tree-id.ts';

export interface MountRoot extends MountRequest {
  /** Its path without links. */
  readonly path: string;
  readonly identity: FileIdentity;
  /** Its parent directories at that time; undefined if an older coid wrote the file. */
  readonly above?: readonly FileIdentity[] | undefined;
}

/** A mount whose source was opened. */
export interface OpenedRoot {
  readonly request: MountRequest;
  readonly source: OpenSource;
}

export interface RootsParts {
  readonly libc: Libc;
  readonly files: Pick<RemoteFileSystems, 'check' | 'isUnresponsive'>;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
}

export interface RootsUpdate {
  readonly runDir: string;
  /** Mounted names by mounts id. */
  readonly mounts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Ids of reservations, and of ended sessions with unfinished cleanup. */
  readonly kept: readonly string[];
}

export class MountRoots {
  readonly #libc: Libc;
  readonly #files: RootsParts['files'];
  readonly #log: Log;
  /** Directory of coid's mounts, through which moved directories are found. */
  readonly #mounts: string;
  readonly #directory: string;
  readonly #boot = bootId();
  readonly #roots = new Map<string, readonly MountRoot[]>();

  constructor({ libc, files, log, runDir, stateDir }: RootsParts) {
    this.#libc = libc;
    this.#files = files;
    this.#log = log;
    this.#mounts = join(runDir, 'mounts');
    this.#directory = join(stateDir, 'mounts');
  }

  /** Loads the files of an earlier coid. */
  load(): void {
    for (const file of stateFiles(this.#directory)) {
      const path = join(this.#directory, file);
      const id = file.replace(/\.json$/, '');
      const roots = isTreeId(id) ? readState(path, rootsShape) : undefined;
      if (roots) this.#roots.set(id, roots);
      else rmSync(path, { force: true });
    }
  }

  of(id: string): readonly MountRoot[] {
    return this.#roots.get(id) ?? [];
  }

  /** Saves the directories that are about to be mounted, and drops all others of that session. */
  set(id: string, opened: readonly OpenedRoot[]): void {
    this.#write(id, this.rootsOf(opened));
  }

  /** Converts opened mounts to records. */
  rootsOf(opened: readonly OpenedRoot[]): readonly MountRoot[] {
    return opened.map((one) => this.#rootOf(one));
  }

  /** Saves a single mount; the others stay. */
  setOne(id: string, opened: OpenedRoot): void {
    const others = this.of(id).filter(({ name }) => name !== opened.request.name);
    this.#write(id, [...others, this.#rootOf(opened)]);
  }

  /** Called in each reconcile pass: drops unused records and adds mounts that an older coid did not save. */
  reconcile(instances: readonly Instance[], { runDir, mounts, kept }: RootsUpdate): void {
    const records = instances.flatMap(({ config }) => sessionRecord(config)?.mounts ?? []);
    const own = records.filter((record) => record.runDir === runDir);
    const used = new Set([...kept, ...own.map(({ id }) => id)]);
    for (const id of [...this.#roots.keys()]) if (!used.has(id)) this.forget(id);
    for (const record of own) {
      const mounted = mounts.get(record.id);
      if (mounted?.size && !this.#roots.has(record.id)) this.#adopt(record, runDir, mounted);
    }
  }

  /** Records the mounted directories themselves. */
  #adopt({ id, mounts }: MountRecord, runDir: string, mounted: ReadonlySet<string>): void {
    const point = (name: string) => join(runDir, 'mounts', id, name);
    if (mounts.some(({ name }) => this.#files.isUnresponsive(point(name)))) return;
    const roots = mounts.flatMap((request): MountRoot[] => {
      if (!mounted.has(request.name)) return [];
      const stats = statSync(point(request.name), { throwIfNoEntry: false });
      if (!stats) return [];
      return [{ ...request, path: request.source, identity: identityOf(stats, this.#boot) }];
    });
    if (roots.length > 0) this.#write(id, roots);
  }

  forget(id: string): void {
    if (!this.#roots.delete(id)) return;
    rmSync(this.#file(id), { force: true });
  }

  isSame(root: MountRoot, stats: Stats): boolean {
    return isSameFile(root.identity, stats, this.#boot);
  }

  /** Returns a predicate for directories that any container can write, or recently could. */
  writable(): (stats: Stats) => boolean {
    const byInode = Map.groupBy(
      [...this.#roots.values()].flat().filter(({ readonly }) => !readonly),
      ({ identity }) => identity.inode,
    );
    return (stats) => byInode.get(stats.ino)?.some((root) => this.isSame(root, stats)) ?? false;
  }

  /**
   * Reopens as root the directory that was mounted from that source, even if it was moved. Undefined if it was replaced,
   * is not recorded, or does not respond.
   */
  async reopen(id: string, source: string): Promise<OpenSource | undefined> {
    const known = this.of(id).find((one) => one.source === source);
    if (known === undefined) return undefined;
    await this.#files.check([known.path]);
    const root = this.of(id).find((one) => one.source === source) ?? known;
    return this.#openAt(root.path, root) ?? this.#openMoved(id, root);
  }

  /** Updates the paths of moved directories. Must be called while the mounts exist. */
  updatePaths(id: string): void {
    for (const root of this.of(id)) {
      const opened = this.#openAt(root.path, root) ?? this.#openMoved(id, root);
      if (opened) closeSync(opened.fd);
    }
  }

  /** Finds a moved directory through its mount. */
  #openMoved(id: string, root: MountRoot): OpenSource | undefined {
    for (const path of pathsOfMounts(this.#mounts, id)) {
      const opened = this.#openAt(path, root);
      if (!opened) continue;
      const all = this.of(id).map((one) => (one === root ? { ...root, path } : one));
      this.#write(id, all);
      return opened;
    }
    return undefined;
  }

  #openAt(path: string, root: MountRoot): OpenSource | undefined {
    if (this.#files.isUnresponsive(path)) return undefined;
    let opened: OpenSource;
    try {
      opened = openWithoutLinks(this.#libc, path);
    } catch {
      return undefined;
    }
    if (this.isSame(root, opened.stats)) return opened;
    closeSync(opened.fd);
    return undefined;
  }

  #rootOf({ request, source }: OpenedRoot): MountRoot {
    const identity = identityOf(source.stats, this.#boot);
    const above = parentStats(source).map((stats) => identityOf(stats, this.#boot));
    return { ...request, path: source.path, identity, above };
  }

  #write(id: string, roots: readonly MountRoot[]): void {
    this.#roots.set(id, roots);
    const path = this.#file(id);
    writeState(path, JSON.stringify(roots), { flush: false });
    // For a power loss: unrecorded directories are not mounted again. Flushes in the background.
    flush(path).catch((error: unknown) => {
      if (this.#roots.has(id)) this.#log('warning', 'mounts-not-flushed', { id, error });
    });
  }

  #file(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}

async function flush(path: string): Promise<void> {
  await using file = await open(path);
  await file.datasync();
}

const rootsShape = z.array(z.custom<MountRoot>(isRoot));

function isRoot(value: unknown): value is MountRoot {
  const { name, source, readonly, path, inside, identity, above } = (value ??
    {}) as Partial<MountRoot>;
  return (
    [name, source, path].every((one) => typeof one === 'string') &&
    typeof readonly === 'boolean' &&
    (inside === undefined || typeof inside === 'string') &&
    isIdentity(identity) &&
    (above === undefined || (Array.isArray(above) && above.every(isIdentity)))
  );
}
