// Plans a reconcile pass: from the observed state and the memory of earlier passes to actions. Pure.
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import {
  isNeverStarted,
  type SessionRecord,
  sessionRecord,
} from '../../session/record/instance-record.ts';

/** The observed state. Times are monotonic milliseconds. */
export interface Observation {
  readonly nowMs: number;
  readonly runDir: string;
  readonly instances: readonly Instance[];
  /** Containers whose end was known before the instances were listed. */
  readonly endedBefore: ReadonlySet<string>;
  /** Mounted names by mounts id. */
  readonly mounts: ReadonlyMap<string, ReadonlySet<string>>;
  readonly leases: readonly { readonly id: string; readonly expiresMs: number }[];
}

/** State that is kept between passes, by mounts id. */
export interface Memory {
  /** Since when every pass has seen it stopped. */
  readonly stoppedSinceMs: ReadonlyMap<string, number>;
  /** Since when every pass has seen a running persistent container that Incus will delete on stop: `coi kill` sets that. */
  readonly killPendingSinceMs: ReadonlyMap<string, number>;
  /** Containers whose end Incus reported, without a start since. */
  readonly ended: ReadonlySet<string>;
}

export type Action =
  /** Creates its missing mounts. */
  | { readonly kind: 'restore-mounts'; readonly name: string; readonly session: SessionRecord }
  | { readonly kind: 'mark-live'; readonly name: string; readonly id: string }
  /** Makes Incus keep it when it stops. */
  | { readonly kind: 'mark-kept'; readonly name: string; readonly id: string }
  /** Deletes a stopped container: an ended ephemeral session, or debris of a failed start. */
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

export interface ReconcilePlan {
  /** In execution order: mounts first. */
  readonly actions: readonly Action[];
  readonly memory: Memory;
  /** Delay until the next pass without events; undefined if nothing is pending. */
  readonly nextPassMs: number | undefined;
}

/** Stopped in two passes this far apart means stopped for good: a reboot inside takes under a second. */
export const settledMs = 5000;
/** After this time, the `coi kill` that should have stopped it must have been killed itself. */
export const killPendingMs = 120_000;
/** After this time, a start has failed for good. */
export const debrisMs = 300_000;
/** Polling interval for new instances: Incus reports no event if it cannot create one. */
const newInstancePollMs = 10_000;
/** Incus reports an end a moment before its list shows it. */
const endingMs = 200;

/** The changes of each mark. A failed mark is repeated in the next pass, unless the instance is gone. */
export const marks = {
  'mark-live': { config: { [keys.phase]: 'live' } },
  'mark-kept': { ephemeral: false },
} as const;

export const emptyMemory: Memory = {
  stoppedSinceMs: new Map(),
  killPendingSinceMs: new Map(),
  ended: new Set(),
};

/** Removes map entries of deleted containers. */
export function dropDeleted(byId: Map<string, unknown>, instances: readonly Instance[]): void {
  const present = new Set(instances.map(({ config }) => sessionRecord(config)?.mounts.id));
  for (const id of byId.keys()) if (!present.has(id)) byId.delete(id);
}

export function planReconcile(observed: Observation, memory: Memory): ReconcilePlan {
  const sessions = observed.instances.flatMap((instance) => {
    const session = sessionRecord(instance.config);
    return session && session.mounts.runDir === observed.runDir ? [{ instance, session }] : [];
  });
  const since = (known: ReadonlyMap<string, number>, found: typeof sessions) =>
    new Map(
      found.map(({ session }) => [
        session.mounts.id,
        known.get(session.mounts.id) ?? observed.nowMs,
      ]),
    );
  const stopped = sessions.filter(({ instance }) => instance.status === 'Stopped');
  const killPending = sessions.filter((one) => isKillPending(one.instance, one.session));
  const names = new Set(sessions.map(({ instance }) => instance.name));
  // A container that came and went while Incus made its list, which can take seconds, is not in it.
  const isKnown = (name: string) => names.has(name) || !observed.endedBefore.has(name);
  const ended = new Set([...memory.ended].filter(isKnown));
  const next: Memory = {
    stoppedSinceMs: since(memory.stoppedSinceMs, stopped),
    killPendingSinceMs: since(memory.killPendingSinceMs, killPending),
    ended,
  };
  const fates = sessions.map(({ instance, session }) =>
    planContainer(instance, session, next, observed.nowMs),
  );
  const leases = leaseActions(observed, new Set(sessions.map(({ session }) => session.mounts.id)));
  const waits = [...fates.map(({ waitMs }) => waitMs), leases.waitMs].filter(
    (wait) => wait !== undefined,
  );
  return {
    actions: [
      ...missingMounts(observed, sessions),
      ...fates.flatMap(({ action }) => (action ? [action] : [])),
      ...leases.actions,
      ...strayMounts(observed, sessions),
    ],
    memory: next,
    nextPassMs: waits.length > 0 ? Math.max(0, Math.min(...waits)) : undefined,
  };
}

interface ContainerPlan {
  readonly action?: Action;
  readonly waitMs?: number;
}

/** Plans one container. New instances also show as stopped, so only a session that has run is finished early. */
function planContainer(
  instance: Instance,
  session: SessionRecord,
  memory: Memory,
  nowMs: number,
): ContainerPlan {
  const { name } = instance;
  const { id } = session.mounts;
  const ended = memory.ended.has(name);
  if (instance.status !== 'Stopped') {
    if (ended) return { waitMs: endingMs };
    // A container that Incus deletes on stop needs no mark, and during the update Incus would refuse the stop of `coi run`.
    const needsMark = session.phase === 'starting' && !instance.ephemeral;
    if (instance.status === 'Running' && needsMark)
      return { action: { kind: 'mark-live', name, id } };
    if (!isKillPending(instance, session)) return {};
    const leftMs = killPendingMs - (nowMs - (memory.killPendingSinceMs.get(id) ?? nowMs));
    return leftMs > 0 ? { waitMs: leftMs } : { action: { kind: 'mark-kept', name, id } };
  }
  const lived = session.phase === 'live' || ended;
  if (session.persistent && (lived || !isNeverStarted(instance))) return {};
  if (ended) return { action: { kind: 'finish', name, id, reason: 'ended' } };
  const leftMs =
    (lived ? settledMs : debrisMs) - (nowMs - (memory.stoppedSinceMs.get(id) ?? nowMs));
  return leftMs > 0
    ? { waitMs: Math.min(leftMs, newInstancePollMs) }
    : { action: { kind: 'finish', name, id, reason: lived ? 'ended' : 'debris' } };
}

function isKillPending({ status, ephemeral }: Instance, { persistent }: SessionRecord): boolean {
  return persistent && ephemeral && status !== 'Stopped';
}

function missingMounts(
  observed: Observation,
  sessions: readonly { instance: Instance; session: SessionRecord }[],
): Action[] {
  return sessions
    .filter(({ session }) =>
      session.mounts.mounts.some(({ name }) => !observed.mounts.get(session.mounts.id)?.has(name)),
    )
    .map(({ instance, session }) => ({ kind: 'restore-mounts', name: instance.name, session }));
}

function leaseActions(
  observed: Observation,
  used: ReadonlySet<string>,
): { actions: Action[]; waitMs: number | undefined } {
  const actions = observed.leases.flatMap(({ id, expiresMs }): Action[] => {
    if (used.has(id)) return [{ kind: 'drop-lease', id }];
    return expiresMs <= observed.nowMs ? [{ kind: 'expire-lease', id }] : [];
  });
  const open = observed.leases.filter(
    ({ id, expiresMs }) => !used.has(id) && expiresMs > observed.nowMs,
  );
  return {
    actions,
    waitMs:
      open.length > 0
        ? Math.min(...open.map(({ expiresMs }) => expiresMs - observed.nowMs))
        : undefined,
  };
}

/** Mount directories without a container or reservation. */
function strayMounts(
  observed: Observation,
  sessions: readonly { session: SessionRecord }[],
): Action[] {
  const wanted = new Set([
    ...sessions.map(({ session }) => session.mounts.id),
    ...observed.leases.map(({ id }) => id),
  ]);
  return [...observed.mounts.keys()]
    .filter((id) => !wanted.has(id))
    .map((id) => ({ kind: 'remove-mounts', id }));
}

/** Mount sources of all containers. */
export function mountSourcesOf(instances: readonly Instance[]): string[] {
  const records = instances.flatMap(({ config }) => sessionRecord(config) ?? []);
  return records.flatMap(({ mounts: { mounts } }) => mounts.map(({ source }) => source));
}
