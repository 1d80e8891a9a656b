// What has to be done so that the host is as the instances say. Pure: a look at the world and what was seen before, in; actions, out.
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import {
  isNewborn,
  type SessionRecord,
  sessionRecord,
} from '../../session/record/instance-record.ts';

/** One look. Times are monotonic milliseconds. */
export interface Look {
  readonly nowMs: number;
  readonly runDir: string;
  readonly instances: readonly Instance[];
  /** Names of which an end was known before the instances were asked for. */
  readonly endedBefore: ReadonlySet<string>;
  /** Ids of mount directories, each with the names of what is mounted. */
  readonly mounts: ReadonlyMap<string, ReadonlySet<string>>;
  readonly leases: readonly { readonly id: string; readonly expiresMs: number }[];
}

/** What is remembered of a session's container between looks, by the id of its mounts. */
export interface Memory {
  /** When a look first saw it stopped, with no look in between that saw it otherwise. */
  readonly stoppedSinceMs: ReadonlyMap<string, number>;
  /** When a look first saw a persistent one running that Incus would delete when it stops, as `coi kill` wants it. */
  readonly doomedSinceMs: ReadonlyMap<string, number>;
  /** Names of those of which Incus reported the end, and no start since. */
  readonly ended: ReadonlySet<string>;
}

export type Action =
  /** Makes what is missing of its mounts. */
  | { readonly kind: 'restore-mounts'; readonly name: string; readonly session: SessionRecord }
  | { readonly kind: 'mark-live'; readonly name: string; readonly id: string }
  /** Incus is not to delete it when it stops. */
  | { readonly kind: 'mark-kept'; readonly name: string; readonly id: string }
  /** Deletes a stopped container: an ephemeral session that has lived, or the debris of a start. */
  | {
      readonly kind: 'finish';
      readonly name: string;
      readonly id: string;
      readonly reason: 'ended' | 'debris';
    }
  /** The reservation became a container. */
  | { readonly kind: 'drop-lease'; readonly id: string }
  | { readonly kind: 'expire-lease'; readonly id: string }
  | { readonly kind: 'remove-mounts'; readonly id: string };

export type FinishAction = Action & { readonly kind: 'finish' };

export interface Reconciliation {
  /** In the order in which they are done: mounts first. */
  readonly actions: readonly Action[];
  readonly memory: Memory;
  /** When to look again although nothing is heard; undefined if nothing is pending. */
  readonly lookAgainMs: number | undefined;
}

/** Two looks this far apart that both see it stopped mean that it stays so: a guest's reboot takes under a second. */
export const settledMs = 5000;
/** A kill that has not stopped it by then was killed itself. */
export const doomedMs = 120_000;
/** A start that has not come to life by then never will. */
export const debrisMs = 300_000;
/** Of a container that Incus could not make it reports nothing. */
const newbornLookMs = 10_000;
/** Incus reports an end a moment before its list shows it. */
const endingMs = 200;

/** What a mark changes on an instance. One that failed is seen missing at the next look, unless the instance is gone. */
export const marks = {
  'mark-live': { config: { [keys.phase]: 'live' } },
  'mark-kept': { ephemeral: false },
} as const;

export const nothingSeen: Memory = {
  stoppedSinceMs: new Map(),
  doomedSinceMs: new Map(),
  ended: new Set(),
};

/** Takes away what is kept by the id of mounts of containers that are no more. */
export function forgetGone(byId: Map<string, unknown>, instances: readonly Instance[]): void {
  const present = new Set(instances.map(({ config }) => sessionRecord(config)?.mounts.id));
  for (const id of byId.keys()) if (!present.has(id)) byId.delete(id);
}

export function reconciliation(look: Look, memory: Memory): Reconciliation {
  const sessions = look.instances.flatMap((instance) => {
    const session = sessionRecord(instance.config);
    return session && session.mounts.runDir === look.runDir ? [{ instance, session }] : [];
  });
  const since = (known: ReadonlyMap<string, number>, found: typeof sessions) =>
    new Map(
      found.map(({ session }) => [session.mounts.id, known.get(session.mounts.id) ?? look.nowMs]),
    );
  const stopped = sessions.filter(({ instance }) => instance.status === 'Stopped');
  const doomed = sessions.filter((one) => isDoomed(one.instance, one.session));
  const names = new Set(sessions.map(({ instance }) => instance.name));
  // What came and went while Incus made its list, which can take it seconds, is not in it.
  const isKnown = (name: string) => names.has(name) || !look.endedBefore.has(name);
  const ended = new Set([...memory.ended].filter(isKnown));
  const next: Memory = {
    stoppedSinceMs: since(memory.stoppedSinceMs, stopped),
    doomedSinceMs: since(memory.doomedSinceMs, doomed),
    ended,
  };
  const fates = sessions.map(({ instance, session }) =>
    fateOf(instance, session, next, look.nowMs),
  );
  const leases = leaseActions(look, new Set(sessions.map(({ session }) => session.mounts.id)));
  const waits = [...fates.map(({ waitMs }) => waitMs), leases.waitMs].filter(
    (wait) => wait !== undefined,
  );
  return {
    actions: [
      ...missingMounts(look, sessions),
      ...fates.flatMap(({ action }) => (action ? [action] : [])),
      ...leases.actions,
      ...strayMounts(look, sessions),
    ],
    memory: next,
    lookAgainMs: waits.length > 0 ? Math.max(0, Math.min(...waits)) : undefined,
  };
}

interface Fate {
  readonly action?: Action;
  readonly waitMs?: number;
}

/** What becomes of one container. A newborn shows as stopped too, so only what is known to have lived is ever finished early. */
function fateOf(instance: Instance, session: SessionRecord, memory: Memory, nowMs: number): Fate {
  const { name } = instance;
  const { id } = session.mounts;
  const ended = memory.ended.has(name);
  if (instance.status !== 'Stopped') {
    if (ended) return { waitMs: endingMs };
    // What Incus deletes by itself needs no mark, and while one is made Incus refuses the stop that `coi run` asks for.
    const needsMark = session.phase === 'starting' && !instance.ephemeral;
    if (instance.status === 'Running' && needsMark)
      return { action: { kind: 'mark-live', name, id } };
    if (!isDoomed(instance, session)) return {};
    const leftMs = doomedMs - (nowMs - (memory.doomedSinceMs.get(id) ?? nowMs));
    return leftMs > 0 ? { waitMs: leftMs } : { action: { kind: 'mark-kept', name, id } };
  }
  const lived = session.phase === 'live' || ended;
  if (session.persistent && (lived || !isNewborn(instance))) return {};
  if (ended) return { action: { kind: 'finish', name, id, reason: 'ended' } };
  const leftMs =
    (lived ? settledMs : debrisMs) - (nowMs - (memory.stoppedSinceMs.get(id) ?? nowMs));
  return leftMs > 0
    ? { waitMs: Math.min(leftMs, newbornLookMs) }
    : { action: { kind: 'finish', name, id, reason: lived ? 'ended' : 'debris' } };
}

function isDoomed({ status, ephemeral }: Instance, { persistent }: SessionRecord): boolean {
  return persistent && ephemeral && status !== 'Stopped';
}

function missingMounts(
  look: Look,
  sessions: readonly { instance: Instance; session: SessionRecord }[],
): Action[] {
  return sessions
    .filter(({ session }) =>
      session.mounts.mounts.some(({ name }) => !look.mounts.get(session.mounts.id)?.has(name)),
    )
    .map(({ instance, session }) => ({ kind: 'restore-mounts', name: instance.name, session }));
}

function leaseActions(
  look: Look,
  used: ReadonlySet<string>,
): { actions: Action[]; waitMs: number | undefined } {
  const actions = look.leases.flatMap(({ id, expiresMs }): Action[] => {
    if (used.has(id)) return [{ kind: 'drop-lease', id }];
    return expiresMs <= look.nowMs ? [{ kind: 'expire-lease', id }] : [];
  });
  const open = look.leases.filter(({ id, expiresMs }) => !used.has(id) && expiresMs > look.nowMs);
  return {
    actions,
    waitMs:
      open.length > 0
        ? Math.min(...open.map(({ expiresMs }) => expiresMs - look.nowMs))
        : undefined,
  };
}

/** Directories of containers that are gone, and of reservations that are not known. */
function strayMounts(look: Look, sessions: readonly { session: SessionRecord }[]): Action[] {
  const wanted = new Set([
    ...sessions.map(({ session }) => session.mounts.id),
    ...look.leases.map(({ id }) => id),
  ]);
  return [...look.mounts.keys()]
    .filter((id) => !wanted.has(id))
    .map((id) => ({ kind: 'remove-mounts', id }));
}

/** All that containers have mounted, or are to have. */
export function sourcesOf(instances: readonly Instance[]): string[] {
  const records = instances.flatMap(({ config }) => sessionRecord(config) ?? []);
  return records.flatMap(({ mounts: { mounts } }) => mounts.map(({ source }) => source));
}
