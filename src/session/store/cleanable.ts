// Selects what `coi clean` removes, each with its reason. Pure.
import { isBuild } from '../record/adopted-container.ts';
import { type ContainerRef, refOf } from '../record/container-ref.ts';
import { type Container, isPersistent } from '../record/instance-record.ts';
import { rootPool } from '../record/listing.ts';
import type { StoredEntry } from './saved-sessions.ts';

export interface CleanRequest {
  /** Also persistent containers. */
  readonly all: boolean;
  /** Named containers: removed in any case if they are stopped. */
  readonly named: readonly string[];
  /** Only saved sessions, no containers. */
  readonly sessions: boolean;
  /** Leftovers of interrupted starts in the store. */
  readonly orphans: boolean;
  /** Pools in configuration and profiles: stopped containers in other pools are removed, persistent or not. */
  readonly pools?: ReadonlySet<string>;
  readonly nowMs: number;
}

export type Cleanable =
  | { readonly kind: 'container'; readonly ref: ContainerRef; readonly about: string }
  | {
      readonly kind: 'session';
      readonly dir: string;
      /** When its session last ended, if known. */
      readonly endedMs: number;
      readonly about: string;
    };

/** Younger stores may belong to a start in progress. */
const debrisAgeMs = 10 * 60_000;

export function findCleanable(
  request: CleanRequest,
  containers: readonly Container[],
  stored: readonly StoredEntry[],
): Cleanable[] {
  return [
    ...(request.sessions ? [] : stoppedContainers(request, containers)),
    ...stores(request, containers, stored),
  ];
}

/** Whether the item is still to be cleaned, unchanged. */
export function isStillCleanable(item: Cleanable, now: readonly Cleanable[]): boolean {
  return now.some((other) => JSON.stringify(other) === JSON.stringify(item));
}

function stoppedContainers(request: CleanRequest, containers: readonly Container[]): Cleanable[] {
  return containers.flatMap((container): Cleanable[] => {
    const { name, status, session, instance } = container;
    if (status !== 'Stopped') return [];
    const pool = rootPool(instance.expanded_devices);
    const strange = request.pools !== undefined && !request.pools.has(pool);
    const isWanted =
      request.named.length > 0
        ? request.named.includes(name)
        : !isBuild(instance) && (!isPersistent(container) || request.all || strange);
    if (!isWanted) return [];
    const kept = isPersistent(container) ? 'persistent' : 'ephemeral';
    const kind = session ? kept : `${kept}, not a coi session`;
    const where = strange ? `, in pool ${pool}, which no profile uses` : '';
    return [
      { kind: 'container', ref: refOf(instance), about: `${name} (${kind}, stopped${where})` },
    ];
  });
}

function stores(
  request: CleanRequest,
  containers: readonly Container[],
  stored: readonly StoredEntry[],
): Cleanable[] {
  const inUse = new Set(containers.map(({ session }) => session?.session));
  return stored.flatMap((entry): Cleanable[] => {
    if (inUse.has(entry.kind === 'saved' ? entry.metadata.sessionId : entry.id)) return [];
    if (entry.kind === 'debris') {
      const old = request.nowMs - entry.modifiedMs > debrisAgeMs;
      return (request.orphans || request.sessions) && old
        ? [
            {
              kind: 'session',
              dir: entry.dir,
              endedMs: entry.modifiedMs,
              about: `${entry.id} (interrupted start)`,
            },
          ]
        : [];
    }
    if (!request.sessions) return [];
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
