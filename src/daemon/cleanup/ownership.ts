// Gives what a container's root and services left under ids of the container to the owner: when an ephemeral session
// has ended and no other container has these ids, and whenever its owner asks.
import { closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { OwnershipReply, OwnershipRequest } from '../../coid-api/ended-protocol.ts';
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { type GivenBack, giveBack } from '../../host/fs/give-back.ts';
import type { Source } from '../../host/fs/open-source.ts';
import { openStepwise } from '../../host/fs/open-step.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { Instance } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';
import { isTreeId } from '../mounts/tree-id.ts';
import type { World } from '../reconcile/incus-cache.ts';
import {
  type IdRange,
  idmapBaseOf,
  idsPerContainer,
  takenBy,
  unionOf,
} from '../reservations/allocate.ts';
import { ownerOf } from '../reservations/file-owner.ts';
import type { Leases } from '../reservations/leases.ts';
import { readState, type StateShape, stateFiles, writeState } from '../state-file.ts';
import { type EndedSession, type Notes, noteOf, notesAfter } from './ownership-notes.ts';

export interface OwnershipParts {
  readonly libc: Libc;
  readonly world: World;
  readonly leases: Leases;
  readonly roots: Pick<MountRoots, 'reopened' | 'writable'>;
  readonly files: Pick<RemoteFiles, 'during' | 'isHeld' | 'require'>;
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
  /** Bases of all instances, as the last look saw them. */
  #inUse: ReadonlySet<number> = new Set();
  readonly #working = new Set<string>();
  /** One at a time: it is work for the disk, and nobody waits. */
  #work: Promise<void> = Promise.resolve();

  constructor(parts: OwnershipParts) {
    this.#parts = parts;
    this.#directory = join(parts.stateDir, 'ownership');
  }

  /** Takes over what an earlier coid had noted. */
  load(): void {
    const found = stateFiles(this.#directory).flatMap((name) => {
      const note = readState(join(this.#directory, name), noteShape);
      if (note && isTreeId(note.id)) return note;
      rmSync(join(this.#directory, name), { force: true });
      return [];
    });
    this.#notes = new Map(found.map((note) => [note.id, note]));
  }

  /** A session is about to begin: it may have ended before anybody sees it run. */
  begin(mounts: MountRecord, container: string): void {
    const note = noteOf(container, mounts);
    this.#write(note);
    this.#notes = new Map([...this.#notes, [note.id, note]]);
  }

  /** Called at each look with all instances. Begins what can be done; does not wait for it. */
  follow(instances: readonly Instance[]): void {
    const { leases, runDir } = this.#parts;
    const taken = takenBy(instances);
    this.#inUse = new Set(taken.idmapBases.keys());
    const reserved = new Set(leases.taken().idmapBases.keys());
    const { notes, due } = notesAfter(this.#notes, { instances, reserved, runDir });
    for (const note of notes.values()) if (!this.#notes.has(note.id)) this.#write(note);
    for (const id of this.#notes.keys()) if (!notes.has(id)) this.forget(id);
    this.#notes = notes;
    for (const note of due) this.#begin(note);
  }

  /** Of the mounts of those that are not done. */
  ids(): readonly string[] {
    return [...this.#notes.keys()];
  }

  /** For the owner who asks, in directories that the asking user can reach. Throws `session-live` while one of these containers runs. */
  async give(request: OwnershipRequest, peer: Peer): Promise<OwnershipReply> {
    const { libc, world, leases, ids, log, files } = this.#parts;
    const mounts = request.directories.map((source) => ({ source }));
    await files.require({ workspace: request.workspace, mounts });
    world.forgetInstances();
    const instances = await world.instances();
    const workspace = this.#reached(peer, request.workspace);
    if (workspace) closeSync(workspace.fd);
    const owner = ownerOf(libc, peer, workspace?.stats);
    const taken = unionOf([takenBy(instances), leases.taken()]);
    const base = idmapBaseOf(owner.uid, request.workspace, taken.idmapBases, ids);
    const live = instances.find(
      ({ status, config }) =>
        status !== 'Stopped' && sessionRecord(config)?.mounts.idmapBase === base,
    );
    if (live)
      throw new CoiError(
        'session-live',
        `${live.name} runs in this workspace: what its services write has to stay theirs`,
        { hint: `End it first: \`coi shutdown ${live.name}\`.` },
      );
    let count = 0;
    let complete = true;
    for (const path of [request.workspace, ...request.directories]) {
      const dryRun = request.dryRun ?? false;
      const source = this.#reached(peer, path);
      if (!source) continue;
      const given = await this.#giveIn(source, { base, owner, dryRun, ownInstances: true });
      count += given.count;
      complete &&= given.complete;
    }
    log('info', 'gave-back', { uid: peer.uid, owner: owner.uid, base, count, complete });
    return { count, complete };
  }

  #begin(note: EndedSession): void {
    if (this.#working.has(note.id)) return;
    this.#working.add(note.id);
    this.#work = this.#work
      .then(() => this.#finish(note))
      .catch((error: unknown) => this.#parts.log('error', 'give-back-failed', { error }))
      .finally(() => this.#working.delete(note.id));
  }

  async #finish(note: EndedSession): Promise<void> {
    const { roots, log } = this.#parts;
    const { id, container, idmapBase: base, ownerUid: uid, ownerGid: gid } = note;
    await this.#parts.before(id);
    if (!this.#isOfContainers(base)) return this.forget(id);
    let count = 0;
    for (const path of note.sources) {
      const options = { base, owner: { uid, gid }, dryRun: false, ownInstances: false };
      const source = await roots.reopened(id, path);
      // The note stays: there is a look when it answers.
      if (!source && this.#parts.files.isHeld(path)) return;
      if (!source) {
        log('warning', 'give-back-unseen', { container, source: path });
        continue;
      }
      const given = await this.#giveIn(source, options);
      count += given.count;
      // The note stays: the next look finds that it is still to be done.
      if (!given.complete) return;
    }
    if (count > 0) log('info', 'gave-back', { container, owner: uid, base, count });
    this.forget(id);
  }

  /** Takes over the descriptor. */
  async #giveIn(
    source: Source,
    options: {
      base: number;
      owner: { uid: number; gid: number };
      dryRun: boolean;
      /** Containers that have stopped may have these ids. */
      ownInstances: boolean;
    },
  ): Promise<GivenBack> {
    const { libc, leases, files, signal } = this.#parts;
    const { base, owner, dryRun, ownInstances } = options;
    try {
      const wish = {
        libc,
        directory: source.fd,
        range: { from: base, count: idsPerContainer },
        owner,
        dryRun,
        // A session that begins meanwhile may have services that need their files.
        mayGoOn: () =>
          !leases.taken().idmapBases.has(base) && (ownInstances || !this.#inUse.has(base)),
      };
      return await files.during(source.path, signal, (during) =>
        giveBack({ ...wish, signal: during }),
      );
    } finally {
      closeSync(source.fd);
    }
  }

  /** undefined if there is no such directory (any more) for that peer, or a link on the way may be an agent's. */
  #reached(peer: Peer, path: string): Source | undefined {
    const { libc, roots } = this.#parts;
    try {
      return openStepwise(libc, peer, path, roots.writable());
    } catch {
      return undefined;
    }
  }

  /** The record was written by a user: ids of accounts of the host must not become anybody's. */
  #isOfContainers(base: number): boolean {
    const { from, count } = this.#parts.ids;
    return Number.isInteger(base) && base >= from && base + idsPerContainer <= from + count;
  }

  #write(note: EndedSession): void {
    writeState(join(this.#directory, note.id), JSON.stringify(note), { flush: false });
  }

  /** It did not begin after all, or all is done. */
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
}) as unknown as StateShape<EndedSession>;
