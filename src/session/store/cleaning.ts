// What `coi clean` takes away. Pure: from what there is to a list of things, each with its reason.
import { isBuild } from '../record/adopted.ts';
import { type ContainerRef, refOf } from '../record/container-ref.ts';
import { type Container, isKept } from '../record/instance-record.ts';
import { rootPool } from '../record/listing.ts';
import type { StoredEntry } from './saved-sessions.ts';

export interface CleanWish {
  /** Persistent containers too. */
  readonly all: boolean;
  /** Containers that were named: taken whatever they are, as long as they are stopped. */
  readonly named: readonly string[];
  /** Only saved sessions, no containers. */
  readonly sessions: boolean;
  /** What a start that was interrupted has left in the store. */
  readonly orphans: boolean;
  /** The pools that configuration and profiles name: what is stopped in others goes too, persistent or not. */
  readonly pools?: ReadonlySet<string>;
  readonly nowMs: number;
}

export type Cleanable =
  | { readonly kind: 'container'; readonly ref: ContainerRef; readonly about: string }
  | {
      readonly kind: 'session';
      readonly dir: string;
      /** When its session ended last, as far as that is known. */
      readonly endedMs: number;
      readonly about: string;
    };

/** A start may still be busy with a store that has nothing in it yet. */
const debrisAgeMs = 10 * 60_000;

export function cleanable(
  wish: CleanWish,
  containers: readonly Container[],
  stored: readonly StoredEntry[],
): Cleanable[] {
  return [
    ...(wish.sessions ? [] : stoppedContainers(wish, containers)),
    ...stores(wish, containers, stored),
  ];
}

/** Whether what was found is found again, and is the same. */
export function stillCleanable(item: Cleanable, now: readonly Cleanable[]): boolean {
  return now.some((other) => JSON.stringify(other) === JSON.stringify(item));
}

function stoppedContainers(wish: CleanWish, containers: readonly Container[]): Cleanable[] {
  return containers.flatMap((container): Cleanable[] => {
    const { name, status, session, instance } = container;
    if (status !== 'Stopped') return [];
    const pool = rootPool(instance.expanded_devices);
    const strange = wish.pools !== undefined && !wish.pools.has(pool);
    const isWanted =
      wish.named.length > 0
        ? wish.named.includes(name)
        : !isBuild(instance) && (!isKept(container) || wish.all || strange);
    if (!isWanted) return [];
    const kept = isKept(container) ? 'persistent' : 'ephemeral';
    const kind = session ? kept : `${kept}, not a session of this program`;
    const where = strange ? `, in pool ${pool}, which no profile names` : '';
    return [
      { kind: 'container', ref: refOf(instance), about: `${name} (${kind}, stopped${where})` },
    ];
  });
}

function stores(
  wish: CleanWish,
  containers: readonly Container[],
  stored: readonly StoredEntry[],
): Cleanable[] {
  const inUse = new Set(containers.map(({ session }) => session?.session));
  return stored.flatMap((entry): Cleanable[] => {
    if (inUse.has(entry.kind === 'saved' ? entry.metadata.sessionId : entry.id)) return [];
    if (entry.kind === 'debris') {
      const old = wish.nowMs - entry.modifiedMs > debrisAgeMs;
      return (wish.orphans || wish.sessions) && old
        ? [
            {
              kind: 'session',
              dir: entry.dir,
              endedMs: entry.modifiedMs,
              about: `${entry.id} (a start that was interrupted)`,
            },
          ]
        : [];
    }
    if (!wish.sessions) return [];
    if (entry.kind === 'broken')
      return [
        {
          kind: 'session',
          dir: entry.dir,
          endedMs: 0,
          about: `${entry.id} (damaged: ${entry.problem})`,
        },
      ];
    const { sessionId, workspace, savedAt } = entry.metadata;
    return [
      {
        kind: 'session',
        dir: entry.dir,
        endedMs: savedAt?.getTime() ?? 0,
        about: `${sessionId} (${workspace ?? 'unknown workspace'})`,
      },
    ];
  });
}
