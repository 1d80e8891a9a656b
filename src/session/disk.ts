// What uses space, and which of it nobody misses. Pure.
import { listedImages, oldVersions } from '../image/listing.ts';
import type { Image, InstanceFull } from '../incus/shapes.ts';
import type { Cleanable } from './cleaning.ts';
import type { ContainerRef } from './container-ref.ts';

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
  | { readonly kind: 'image'; readonly fingerprint: string }
  | { readonly kind: 'container'; readonly ref: ContainerRef }
  | { readonly kind: 'directory'; readonly path: string };

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
export interface Measured {
  readonly path: string;
  readonly bytes: number;
  /** There was too much to count all of it. */
  readonly complete: boolean;
  readonly entries: number;
}

export interface DiskFacts {
  /** Those that coi built or published. */
  readonly images: readonly Image[];
  /** Images that a configuration or a profile names. */
  readonly named: ReadonlySet<string>;
  /** This user's. */
  readonly containers: readonly InstanceFull[];
  /** What `coi clean --orphans` would take. */
  readonly cleanable: readonly Cleanable[];
  readonly stores: readonly Measured[];
  readonly leftovers: ReadonlyMap<string, number>;
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
    ...facts.cleanable.flatMap((item): DiskUse[] =>
      item.kind === 'session'
        ? [
            {
              kind: 'leftover',
              name: item.dir,
              bytes: facts.leftovers.get(item.dir),
              about: 'a start that was interrupted',
              take: { kind: 'directory', path: item.dir },
            },
          ]
        : [],
    ),
    ...facts.caches.map((cache) => directoryUse('cache', cache, 'made again when needed', true)),
    ...facts.logs.map((logs) => directoryUse('logs', logs, 'of builds', true)),
    ...(facts.program ? [directoryUse('program', facts.program, 'installed by setup')] : []),
  ];
}

/**
 * Old versions of a name that has a newer one, unless somebody names them: this user's configuration tells, and for that
 * of others Incus does, who knows when an image was used last.
 */
function imagesUse({ images, named }: DiskFacts): DiskUse[] {
  const listed = listedImages(images, '');
  const doomed = new Set(oldVersions(listed, '', 0).doomed.map(({ fingerprint }) => fingerprint));
  const uses = listed.map(({ fingerprint, aliases, sizeBytes }): DiskUse => {
    const name = aliases[0] ?? fingerprint.slice(0, 12);
    const base = name.replace(/-\d{8}-\d{6}$/, '');
    const newer = listed.find((other) => other.aliases.includes(base));
    const usedAt = images.find((one) => one.fingerprint === fingerprint)?.last_used_at ?? '';
    const wanted =
      aliases.some((alias) => named.has(alias)) ||
      (newer !== undefined && Date.parse(usedAt) > Date.parse(newer.uploadedAt));
    const old = doomed.has(fingerprint) && newer !== undefined && !wanted;
    const also = aliases.length > 1 ? `also ${aliases.slice(1).join(', ')}` : '';
    return {
      kind: old ? 'old image' : 'image',
      name,
      bytes: sizeBytes,
      about: old ? `${base} is newer` : also,
      take: old ? { kind: 'image', fingerprint } : undefined,
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
  { path, bytes, complete }: Measured,
  about: string,
  safe = false,
): DiskUse {
  return {
    kind,
    name: path,
    bytes,
    about: complete ? about : `${about}, more than was counted`,
    take: safe ? { kind: 'directory', path } : undefined,
  };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
