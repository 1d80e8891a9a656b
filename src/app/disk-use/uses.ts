// What uses space, and which of it nobody misses. Pure.
import { counted } from '../../counted.ts';
import { listedImages, oldVersions } from '../../image/listing.ts';
import type { Image, InstanceFull } from '../../incus/shapes.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { Cleanable } from '../../session/store/cleaning.ts';

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

/** How something safe is taken away. */
export type Taking =
  | { readonly kind: 'image'; readonly fingerprint: string; readonly aliases: readonly string[] }
  | { readonly kind: 'container'; readonly ref: ContainerRef }
  | ({
      readonly kind: 'directory';
      readonly path: string;
      readonly what: DirectoryKind;
    } & DirectoryId);

export type DirectoryKind = 'leftover' | 'cache' | 'logs';

/** What a directory was when it was looked at: its name may be another one's later. */
export interface DirectoryId {
  readonly id: string;
  /** When something in it was changed last. Undefined where that says nothing, as of a cache that coi itself writes in. */
  readonly newestMs?: number | undefined;
}

export interface DiskUse {
  readonly kind: DiskKind;
  readonly name: string;
  /** Undefined where nobody can tell. */
  readonly bytes: number | undefined;
  readonly about: string;
  /** Undefined for what is of use to somebody. */
  readonly take: Taking | undefined;
}

/** A directory of this user's. */
export interface Measured extends DirectoryId {
  readonly path: string;
  readonly bytes: number;
  /** There was too much to count all of it. */
  readonly complete: boolean;
  readonly entries: number;
}

/** What decides about images. */
export interface ImageFacts {
  /** Those that coi built or published. */
  readonly images: readonly Image[];
  /** Images that a configuration or a profile names. */
  readonly named: ReadonlySet<string>;
  /** What may name images and cannot be read. */
  readonly unread: readonly string[];
  /** Images of which there is a container or a virtual machine, whosever it is. */
  readonly used: ReadonlySet<string>;
}

export interface DiskFacts extends ImageFacts {
  /** This user's. */
  readonly containers: readonly InstanceFull[];
  /** What `coi clean --orphans` would take. */
  readonly cleanable: readonly Cleanable[];
  readonly stores: readonly Measured[];
  readonly leftovers: ReadonlyMap<string, Pick<Measured, 'bytes' | 'id'>>;
  readonly caches: readonly Measured[];
  readonly logs: readonly Measured[];
  /** What setup installed. */
  readonly program: Measured | undefined;
}

/** What btrfs counts for an empty subvolume: where its quotas are out of step, Incus tells this for everything. */
const emptyBytes = 16_384;

export function diskUse(facts: DiskFacts): DiskUse[] {
  return [
    ...imagesUse(facts),
    ...facts.containers.flatMap((instance) => containerUse(instance, facts.cleanable)),
    ...facts.stores.map((store) =>
      directoryUse('sessions', store, counted(store.entries, 'session')),
    ),
    ...facts.cleanable.flatMap((item) =>
      item.kind === 'session' ? leftover(item.dir, facts) : [],
    ),
    ...facts.caches.map((cache) =>
      directoryUse('cache', { ...cache, newestMs: undefined }, 'made again when needed', 'cache'),
    ),
    ...facts.logs.map((logs) => directoryUse('logs', logs, 'of builds', 'logs')),
    ...(facts.program ? [directoryUse('program', facts.program, 'installed by setup')] : []),
  ];
}

function leftover(dir: string, { leftovers }: DiskFacts): DiskUse[] {
  const found = leftovers.get(dir);
  if (!found) return [];
  const about = 'a start that was interrupted';
  const take = { kind: 'directory', path: dir, what: 'leftover', id: found.id } as const;
  return [{ kind: 'leftover', name: dir, bytes: found.bytes, about, take }];
}

/**
 * Old versions of a name that has a newer one, unless somebody names or uses them: the configuration of this user and of
 * this user's projects tells, and for that of others Incus does, who knows when an image was used last.
 */
export function imagesUse({ images, named, unread, used }: ImageFacts): DiskUse[] {
  const listed = listedImages(images, '');
  const doomed = new Set(oldVersions(listed, '', 0).doomed.map(({ fingerprint }) => fingerprint));
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
