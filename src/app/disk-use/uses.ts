// What uses disk space, and what is safe to delete. Pure.

import { listImages, splitVersions } from '../../image/image-list.ts';
import type { Image, InstanceFull } from '../../incus/shapes.ts';
import { pluralize } from '../../pluralize.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { Cleanable } from '../../session/store/cleanable.ts';

export type DiskKind =
  | 'image'
  | 'old image'
  | 'container'
  | 'snapshot'
  | 'sessions'
  | 'leftover'
  | 'cache'
  | 'logs'
  | 'program';

/** How to delete something safe. */
export type Deletion =
  | { readonly kind: 'image'; readonly fingerprint: string; readonly aliases: readonly string[] }
  | { readonly kind: 'container'; readonly ref: ContainerRef }
  | ({
      readonly kind: 'directory';
      readonly path: string;
      readonly what: DirectoryKind;
    } & DirectoryId);

export type DirectoryKind = 'leftover' | 'cache' | 'logs';

/** Identity of a directory when it was listed: another one may have its name later. */
export interface DirectoryId {
  readonly id: string;
  /** Time of the last change in it. Undefined if it is meaningless, as in a cache that coi itself writes. */
  readonly newestMs?: number | undefined;
}

export interface DiskUse {
  readonly kind: DiskKind;
  readonly name: string;
  /** Undefined if unknown. */
  readonly bytes: number | undefined;
  readonly about: string;
  /** Undefined if it is not safe to delete. */
  readonly take: Deletion | undefined;
}

/** A directory of this user's. */
export interface Measured extends DirectoryId {
  readonly path: string;
  readonly bytes: number;
  /** False if there was too much to count all of it. */
  readonly complete: boolean;
  readonly entries: number;
}

/** Facts that decide which images are safe to delete. */
export interface ImageFacts {
  /** Those that coi built or published. */
  readonly images: readonly Image[];
  /** Images that a configuration or a profile names. */
  readonly named: ReadonlySet<string>;
  /** Unreadable configurations that may name images. */
  readonly unread: readonly string[];
  /** Images of any user's container or virtual machine. */
  readonly used: ReadonlySet<string>;
}

export interface DiskFacts extends ImageFacts {
  /** This user's. */
  readonly containers: readonly InstanceFull[];
  /** What `coi clean --orphans` would remove. */
  readonly cleanable: readonly Cleanable[];
  readonly stores: readonly Measured[];
  readonly leftovers: ReadonlyMap<string, Pick<Measured, 'bytes' | 'id'>>;
  readonly caches: readonly Measured[];
  readonly logs: readonly Measured[];
  /** The program that setup installed. */
  readonly program: Measured | undefined;
}

/** Size of an empty btrfs subvolume: if its quotas are inconsistent, Incus reports this size for everything. */
const emptyBytes = 16_384;

export function diskUse(facts: DiskFacts): DiskUse[] {
  return [
    ...imagesUse(facts),
    ...facts.containers.flatMap((instance) => containerUse(instance, facts.cleanable)),
    ...facts.stores.map((store) =>
      directoryUse('sessions', store, pluralize(store.entries, 'session')),
    ),
    ...facts.cleanable.flatMap((item) =>
      item.kind === 'session' ? leftover(item.dir, facts) : [],
    ),
    ...facts.caches.map((cache) =>
      directoryUse('cache', { ...cache, newestMs: undefined }, 'recreated when needed', 'cache'),
    ),
    ...facts.logs.map((logs) => directoryUse('logs', logs, 'build logs', 'logs')),
    ...(facts.program ? [directoryUse('program', facts.program, 'installed by setup')] : []),
  ];
}

function leftover(dir: string, { leftovers }: DiskFacts): DiskUse[] {
  const found = leftovers.get(dir);
  if (!found) return [];
  const about = 'left by an interrupted start';
  const deletion = { kind: 'directory', path: dir, what: 'leftover', id: found.id } as const;
  return [{ kind: 'leftover', name: dir, bytes: found.bytes, about, take: deletion }];
}

/**
 * Images, with old versions marked for deletion unless they are named or used. The configuration of this user and of this
 * user's projects is read; for other users, Incus knows when an image was last used.
 */
export function imagesUse({ images, named, unread, used }: ImageFacts): DiskUse[] {
  const listed = listImages(images, '');
  const doomed = new Set(
    splitVersions(listed, '', 0).obsolete.map(({ fingerprint }) => fingerprint),
  );
  const uses = listed.map(({ fingerprint, aliases, sizeBytes }): DiskUse => {
    const name = aliases[0] ?? fingerprint.slice(0, 12);
    const base = name.replace(/-\d{8}-\d{6}$/, '');
    const newer = listed.find((other) => other.aliases.includes(base));
    const usedAt = images.find((one) => one.fingerprint === fingerprint)?.last_used_at ?? '';
    const wanted =
      used.has(fingerprint) ||
      aliases.some((alias) => named.has(alias)) ||
      (newer !== undefined && Date.parse(usedAt) > Date.parse(newer.uploadedAt));
    const old = doomed.has(fingerprint) && newer !== undefined && !wanted;
    const also = aliases.length > 1 ? `also ${aliases.slice(1).join(', ')}` : '';
    const kept = unread.length > 0 ? ', kept: not every configuration can be read' : '';
    return {
      kind: old ? 'old image' : 'image',
      name,
      bytes: sizeBytes,
      about: old ? `${base} is newer${kept}` : also,
      take: old && unread.length === 0 ? { kind: 'image', fingerprint, aliases } : undefined,
    };
  });
  const bySize = uses.sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0));
  return [...bySize.filter(({ take }) => !take), ...bySize.filter(({ take }) => take)];
}

function containerUse(
  { name, status, state, snapshots }: InstanceFull,
  cleanable: readonly Cleanable[],
): DiskUse[] {
  const found = cleanable.find((item) => item.kind === 'container' && item.ref.name === name);
  const known = (bytes: number | undefined) =>
    bytes !== undefined && bytes > emptyBytes ? bytes : undefined;
  return [
    {
      kind: 'container',
      name,
      bytes: known(state?.disk?.['root']?.usage),
      about: found ? 'stopped, not kept' : status.toLowerCase(),
      take: found?.kind === 'container' ? { kind: 'container', ref: found.ref } : undefined,
    },
    ...(snapshots ?? []).map(
      (snapshot): DiskUse => ({
        kind: 'snapshot',
        name: `${name}/${snapshot.name}`,
        bytes: known(snapshot.size),
        about: snapshot.created_at.slice(0, 10),
        take: undefined,
      }),
    ),
  ];
}

function directoryUse(
  kind: DiskKind,
  { path, bytes, complete, id, newestMs }: Measured,
  about: string,
  what?: DirectoryKind,
): DiskUse {
  return {
    kind,
    name: path,
    bytes,
    about: complete ? about : `${about}, more than was counted`,
    take: what && { kind: 'directory', path, what, id, newestMs },
  };
}
