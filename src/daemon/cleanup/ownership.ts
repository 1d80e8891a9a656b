// Changes the owner of files that root and services of a container left under its ids: after an ephemeral session has
// ended and no other container has these ids, and on request of the owner.
import { closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { OwnershipReply, OwnershipRequest } from '../../coid-api/ended-protocol.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { type ChownResult, chownTree } from '../../host/fs/chown-tree.ts';
import type { OpenSource } from '../../host/fs/open-mount-source.ts';
import { openStepwise } from '../../host/fs/open-stepwise.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { RemoteFileSystems } from '../mounts/remote-file-systems.ts';
import { isTreeId } from '../mounts/tree-id.ts';
import type { IncusCache } from '../reconcile/incus-cache.ts';
import {
  type IdRange,
  idmapBaseOf,
  idsPerContainer,
  mergeUsed,
  usedByInstances,
} from '../reservations/allocate.ts';
import { ownerOf } from '../reservations/file-owner.ts';
import type { Leases } from '../reservations/leases.ts';
import { readState, type StateShape, stateFiles, writeState } from '../state-file.ts';
import { type Notes, noteOf, type OwnershipNote, updateNotes } from './ownership-notes.ts';

export interface OwnershipParts {
  readonly libc: Libc;
  readonly incusCache: IncusCache;
  readonly leases: Leases;
  readonly roots: Pick<MountRoots, 'reopen' | 'writable'>;
  readonly files: Pick<
    RemoteFileSystems,
    'whileResponsive' | 'isUnresponsive' | 'requireResponsive'
  >;
  readonly ids: IdRange;
  readonly log: Log;
  readonly runDir: string;
  readonly stateDir: string;
  readonly signal: AbortSignal;
  /** Awaited before anything of an ended session is changed. */
  readonly before: (id: string) => Promise<void>;
}

export class Ownership {
  readonly #parts: OwnershipParts;
  readonly #directory: string;
  #notes: Notes = new Map();
  /** Id bases of all instances in the last pass. */
  #inUse: ReadonlySet<number> = new Set();
  readonly #working = new Set<string>();
  /** One at a time: it is disk work, and nothing waits for it. */
  #work: Promise<void> = Promise.resolve();

  constructor(parts: OwnershipParts) {
    this.#parts = parts;
    this.#directory = join(parts.stateDir, 'ownership');
  }

  /** Loads the notes of an earlier coid. */
  load(): void {
    const found = stateFiles(this.#directory).flatMap((name) => {
      const note = readState(join(this.#directory, name), noteShape);
      if (note && isTreeId(note.id)) return note;
      rmSync(join(this.#directory, name), { force: true });
      return [];
    });
    this.#notes = new Map(found.map((note) => [note.id, note]));
  }

  /** Called before a session starts, which may have ended before coid sees it running. */
  begin(mounts: MountRecord, container: string): void {
    const note = noteOf(container, mounts);
    this.#write(note);
    this.#notes = new Map([...this.#notes, [note.id, note]]);
  }

  /** Called in each reconcile pass with all instances. Starts due work without waiting for it. */
  reconcile(instances: readonly Instance[]): void {
    const { leases, runDir } = this.#parts;
    const taken = usedByInstances(instances);
    this.#inUse = new Set(taken.idmapBases.keys());
    const reserved = new Set(leases.used().idmapBases.keys());
    const { notes, due } = updateNotes(this.#notes, { instances, reserved, runDir });
    for (const note of notes.values()) if (!this.#notes.has(note.id)) this.#write(note);
    for (const id of this.#notes.keys()) if (!notes.has(id)) this.forget(id);
    this.#notes = notes;
    for (const note of due) this.#begin(note);
  }

  /** Mounts ids of sessions with unfinished work. */
  ids(): readonly string[] {
    return [...this.#notes.keys()];
  }

  /** Serves a request of the owner, in directories that the peer can reach. Throws `session-live` while such a container runs. */
  async giveBack(request: OwnershipRequest, peer: Peer): Promise<OwnershipReply> {
    const { libc, incusCache, leases, ids, log, files } = this.#parts;
    const mounts = request.directories.map((source) => ({ source }));
    await files.requireResponsive({ workspace: request.workspace, mounts });
    incusCache.forgetInstances();
    const instances = await incusCache.instances();
    const workspace = this.#openFor(peer, request.workspace);
    if (workspace) closeSync(workspace.fd);
    const owner = ownerOf(libc, peer, workspace?.stats);
    const taken = mergeUsed([usedByInstances(instances), leases.used()]);
    const base = idmapBaseOf(owner.uid, request.workspace, taken.idmapBases, ids);
    const live = instances.find(
      ({ status, config }) =>
        status !== 'Stopped' && sessionRecord(config)?.mounts.idmapBase === base,
    );
    if (live)
      throw new CoiError(
        'session-live',
        `${live.name} is running in this workspace, and its services need their files`,
        { hint: `Stop it first: \`coi shutdown ${live.name}\`.` },
      );
    let count = 0;
    let complete = true;
    for (const path of [request.workspace, ...request.directories]) {
      const dryRun = request.dryRun ?? false;
      const source = this.#openFor(peer, path);
      if (!source) continue;
      const given = await this.#giveBackIn(source, { base, owner, dryRun, ownInstances: true });
      count += given.count;
      complete &&= given.complete;
    }
    log('info', 'gave-back', { uid: peer.uid, owner: owner.uid, base, count, complete });
    return { count, complete };
  }

  #begin(note: OwnershipNote): void {
    if (this.#working.has(note.id)) return;
    this.#working.add(note.id);
    this.#work = this.#work
      .then(() => this.#finish(note))
      .catch((error: unknown) => this.#parts.log('error', 'give-back-failed', { error }))
      .finally(() => this.#working.delete(note.id));
  }

  async #finish(note: OwnershipNote): Promise<void> {
    const { roots, log } = this.#parts;
    const { id, container, idmapBase: base, ownerUid: uid, ownerGid: gid } = note;
    await this.#parts.before(id);
    if (!this.#isOfContainers(base)) return this.forget(id);
    let count = 0;
    for (const path of note.sources) {
      const options = { base, owner: { uid, gid }, dryRun: false, ownInstances: false };
      const source = await roots.reopen(id, path);
      // Keep the note: a pass follows when the file system responds.
      if (!source && this.#parts.files.isUnresponsive(path)) return;
      if (!source) {
        log('warning', 'give-back-unseen', { container, source: path });
        continue;
      }
      const given = await this.#giveBackIn(source, options);
      count += given.count;
      // Keep the note: the next pass retries.
      if (!given.complete) return;
    }
    if (count > 0) log('info', 'gave-back', { container, owner: uid, base, count });
    this.forget(id);
  }

  /** Closes the source. */
  async #giveBackIn(
    source: OpenSource,
    options: {
      base: number;
      owner: { uid: number; gid: number };
      dryRun: boolean;
      /** Stopped containers may have these ids. */
      ownInstances: boolean;
    },
  ): Promise<ChownResult> {
    const { libc, leases, files, signal } = this.#parts;
    const { base, owner, dryRun, ownInstances } = options;
    try {
      const request = {
        libc,
        directory: source.fd,
        range: { from: base, count: idsPerContainer },
        owner,
        dryRun,
        // Services of a session that starts meanwhile may need their files.
        shouldContinue: () =>
          !leases.used().idmapBases.has(base) && (ownInstances || !this.#inUse.has(base)),
      };
      return await files.whileResponsive(source.path, signal, (during) =>
        chownTree({ ...request, signal: during }),
      );
    } finally {
      closeSync(source.fd);
    }
  }

  /** Undefined if the peer cannot reach the directory, or a link on the path may be an agent's. */
  #openFor(peer: Peer, path: string): OpenSource | undefined {
    const { libc, roots } = this.#parts;
    try {
      return openStepwise(libc, peer, path, roots.writable());
    } catch {
      return undefined;
    }
  }

  /** Users can write the record, so ids of host accounts must be excluded. */
  #isOfContainers(base: number): boolean {
    const { from, count } = this.#parts.ids;
    return Number.isInteger(base) && base >= from && base + idsPerContainer <= from + count;
  }

  #write(note: OwnershipNote): void {
    writeState(join(this.#directory, note.id), JSON.stringify(note), { flush: false });
  }

  /** The session did not start after all, or its work is done. */
  forget(id: string): void {
    rmSync(join(this.#directory, id), { force: true });
    const rest = new Map(this.#notes);
    rest.delete(id);
    this.#notes = rest;
  }
}

const noteShape = z.looseObject({
  id: z.string(),
  sources: z.array(z.string()),
  ownerUid: z.int(),
  ownerGid: z.int(),
  idmapBase: z.int(),
}) as unknown as StateShape<OwnershipNote>;
