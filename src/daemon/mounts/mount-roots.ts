// What was really mounted for each session, in <state dir>/mounts/<id>.json: written by coid alone, before the mounts are
// made, and kept until nobody works on them any more. A name that a user or an agent can change says nothing by then;
// what is opened later has to be what was opened first.
import { closeSync, rmSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { MountRecord, MountRequest } from '../../coid-api/session-protocol.ts';
import {
  bootId,
  type Identity,
  identityOf,
  isIdentity,
  isSame,
} from '../../host/fs/meta/identity.ts';
import { placesOfMounts } from '../../host/fs/meta/moved-directory.ts';
import { openWithoutLinks, type Source, statsAbove } from '../../host/fs/open-source.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import { readState, stateFiles, writeState } from '../state-file.ts';
import type { RemoteFiles } from './remote-files.ts';
import { isTreeId } from './tree-id.ts';

export interface MountRoot extends MountRequest {
  /** Where it was, without links. */
  readonly path: string;
  readonly identity: Identity;
  /** The directories above it then; undefined where an earlier coid wrote it down. */
  readonly above?: readonly Identity[] | undefined;
}

/** A mount whose source was opened. */
export interface OpenedRoot {
  readonly request: MountRequest;
  readonly source: Source;
}

export interface RootsParts {
  readonly libc: Libc;
  readonly files: Pick<RemoteFiles, 'look' | 'isHeld'>;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
}

export interface RootsLook {
  readonly runDir: string;
  /** Ids that have mounts, with the names of what is mounted. */
  readonly mounts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Ids of reservations, and of ended sessions on which work is left. */
  readonly kept: readonly string[];
}

export class MountRoots {
  readonly #libc: Libc;
  readonly #files: RootsParts['files'];
  readonly #log: Log;
  /** Where coid mounts: what was moved is found there. */
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

  /** Takes over what an earlier coid wrote down. */
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

  /** Writes down what is about to be mounted: of that session, these and no others. */
  set(id: string, opened: readonly OpenedRoot[]): void {
    this.#write(id, this.rootsOf(opened));
  }

  /** What would be written down of them. */
  rootsOf(opened: readonly OpenedRoot[]): readonly MountRoot[] {
    return opened.map((one) => this.#rootOf(one));
  }

  /** The same of a single mount; the others stay. */
  renew(id: string, opened: OpenedRoot): void {
    const others = this.of(id).filter(({ name }) => name !== opened.request.name);
    this.#write(id, [...others, this.#rootOf(opened)]);
  }

  /** Called at each look: drops what nobody works on any more, and takes in what an older coid mounted and did not write down. */
  follow(instances: readonly Instance[], { runDir, mounts, kept }: RootsLook): void {
    const records = instances.flatMap(({ config }) => sessionRecord(config)?.mounts ?? []);
    const own = records.filter((record) => record.runDir === runDir);
    const used = new Set([...kept, ...own.map(({ id }) => id)]);
    for (const id of [...this.#roots.keys()]) if (!used.has(id)) this.forget(id);
    for (const record of own) {
      const mounted = mounts.get(record.id);
      if (mounted?.size && !this.#roots.has(record.id)) this.#adopt(record, runDir, mounted);
    }
  }

  /** The mounts themselves say what they are. */
  #adopt({ id, mounts }: MountRecord, runDir: string, mounted: ReadonlySet<string>): void {
    const point = (name: string) => join(runDir, 'mounts', id, name);
    if (mounts.some(({ name }) => this.#files.isHeld(point(name)))) return;
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
    return isSame(root.identity, stats, this.#boot);
  }

  /** Tells the directories that some container can write, or could until a moment ago, whoever's it is. */
  writable(): (stats: Stats) => boolean {
    const byInode = Map.groupBy(
      [...this.#roots.values()].flat().filter(({ readonly }) => !readonly),
      ({ identity }) => identity.inode,
    );
    return (stats) => byInode.get(stats.ino)?.some((root) => this.isSame(root, stats)) ?? false;
  }

  /**
   * Opens again what was mounted from that source, wherever it is now, for work of root; undefined if something else is there now, or it is
   * not known what was mounted, or nothing answers there.
   */
  async reopened(id: string, source: string): Promise<Source | undefined> {
    const known = this.of(id).find((one) => one.source === source);
    if (known === undefined) return undefined;
    await this.#files.look([known.path]);
    const root = this.of(id).find((one) => one.source === source) ?? known;
    return this.#openedAt(root.path, root) ?? this.#moved(id, root);
  }

  /** Finds out where everything lies that was moved; to be called while its mounts are there. */
  settle(id: string): void {
    for (const root of this.of(id)) {
      const opened = this.#openedAt(root.path, root) ?? this.#moved(id, root);
      if (opened) closeSync(opened.fd);
    }
  }

  /** Its mount goes on showing it. */
  #moved(id: string, root: MountRoot): Source | undefined {
    for (const path of placesOfMounts(this.#mounts, id)) {
      const opened = this.#openedAt(path, root);
      if (!opened) continue;
      const all = this.of(id).map((one) => (one === root ? { ...root, path } : one));
      this.#write(id, all);
      return opened;
    }
    return undefined;
  }

  #openedAt(path: string, root: MountRoot): Source | undefined {
    if (this.#files.isHeld(path)) return undefined;
    let opened: Source;
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
    const above = statsAbove(source).map((stats) => identityOf(stats, this.#boot));
    return { ...request, path: source.path, identity, above };
  }

  #write(id: string, roots: readonly MountRoot[]): void {
    this.#roots.set(id, roots);
    const path = this.#file(id);
    writeState(path, JSON.stringify(roots), { flush: false });
    // For when the host loses its power: what is not known then is not mounted again. Nobody waits for the disk.
    flushed(path).catch((error: unknown) => {
      if (this.#roots.has(id)) this.#log('warning', 'mounts-not-flushed', { id, error });
    });
  }

  #file(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}

async function flushed(path: string): Promise<void> {
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
