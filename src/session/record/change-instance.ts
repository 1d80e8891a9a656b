// All that changes an existing container, done to the one that is meant: looked at right before each request to Incus.
// Updates and restores carry the ETag of that look, so Incus itself refuses them on another container. It has no such
// condition for a change of state, a deletion or a new snapshot: there the moment between two requests is left, in which
// the container would have to go and another of its name to be made.
import { CoiError } from '../../errors.ts';
import type { CallOptions, Incus, Operation } from '../../incus/client.ts';
import type { Instance, InstancePatch, StateChange } from '../../incus/shapes.ts';
import { isIncusError } from '../lifecycle/incus-failure.ts';
import { untilMade } from '../lifecycle/incus-operations.ts';
import { type ContainerRef, isMeant } from './container-ref.ts';

export type { ContainerRef } from './container-ref.ts';

/** The container that was meant is gone, or its name is another one's. Nothing was done. */
export class NotMeant extends CoiError {
  constructor(name: string, isThere: boolean) {
    super(
      'session-not-found',
      isThere
        ? `container ${name} was deleted, and another one has its name now`
        : `container ${name} is gone`,
      { hint: 'Run `coi list` to see your sessions.' },
    );
  }
}

/** How often it is looked at anew because others, as coid, changed it between look and request. */
const looksMax = 10;
const changed = 412;

/** As it is now, with its ETag; undefined if it is gone, also where another one has its name. Throws IncusError. */
export async function findMeant(
  incus: Incus,
  ref: ContainerRef,
  options?: CallOptions,
): Promise<{ instance: Instance; etag: string } | undefined> {
  const found = await incus.instance(ref.name, options);
  return found && isMeant(ref, found.instance) ? found : undefined;
}

/** The same. Throws NotMeant. */
export async function meant(
  incus: Incus,
  ref: ContainerRef,
  options?: CallOptions,
): Promise<{ instance: Instance; etag: string }> {
  const found = await incus.instance(ref.name, options);
  if (found && isMeant(ref, found.instance)) return found;
  throw new NotMeant(ref.name, found !== undefined);
}

/** Throws NotMeant; its operation does too, if Incus has to be asked again and the container is another one by then. */
export function changeState(
  incus: Incus,
  ref: ContainerRef,
  change: StateChange,
  options: CallOptions = {},
): Promise<Operation> {
  const before = async () => void (await meant(incus, ref, options));
  return incus.changeState(ref.name, change, { ...options, before });
}

/** Incus itself refuses one that is not stopped. Throws NotMeant. */
export function deleteContainer(
  incus: Incus,
  ref: ContainerRef,
  options: CallOptions = {},
): Promise<Operation> {
  const before = async () => void (await meant(incus, ref, options));
  return incus.deleteInstance(ref.name, { ...options, before });
}

/** Changes keys and devices; what is changed may depend on how it is now. Throws NotMeant. */
export function updateContainer(
  incus: Incus,
  ref: ContainerRef,
  patch: InstancePatch | ((instance: Instance) => InstancePatch),
  options: CallOptions = {},
): Promise<void> {
  return asSeen(incus, ref, options, ({ instance, etag }) =>
    incus.updateInstance(ref.name, typeof patch === 'function' ? patch(instance) : patch, {
      ...options,
      etag,
    }),
  );
}

/** Replaces it as a whole, the only way to take a device away. Throws NotMeant. */
export function replaceContainer(
  incus: Incus,
  ref: ContainerRef,
  change: (instance: Instance) => Instance,
  options: CallOptions = {},
): Promise<void> {
  return asSeen(incus, ref, options, ({ instance, etag }) =>
    incus.replaceInstance(ref.name, change(instance), { ...options, etag }),
  );
}

/** Throws NotMeant. */
export async function takeSnapshotOf(
  incus: Incus,
  ref: ContainerRef,
  snapshot: { name: string; stateful?: boolean },
  options: CallOptions = {},
): Promise<Operation> {
  await meant(incus, ref, options);
  return incus.createSnapshot(ref.name, snapshot, options);
}

/** Makes a stopped container what it was. Throws NotMeant, and `session-live` if it was started meanwhile. */
export function restoreSnapshotOf(
  incus: Incus,
  ref: ContainerRef,
  snapshot: { name: string; stateful?: boolean },
  options: CallOptions = {},
): Promise<Operation> {
  return asSeen(incus, ref, options, ({ instance, etag }) => {
    refuseStarted(instance);
    const { name, stateful = false } = snapshot;
    return incus.restoreSnapshot(ref.name, name, { ...options, etag, stateful });
  });
}

/** Throws `session-live` unless it is stopped. */
function refuseStarted({ name, status }: Pick<Instance, 'name' | 'status'>): void {
  if (status === 'Stopped') return;
  throw new CoiError('session-live', `container ${name} was started meanwhile (${status})`, {
    hint: `Stop it first: coi container stop ${name}`,
  });
}

/** Throws NotMeant. */
export async function deleteSnapshotOf(
  incus: Incus,
  ref: ContainerRef,
  snapshot: string,
  options: CallOptions = {},
): Promise<Operation> {
  await meant(incus, ref, options);
  return incus.deleteSnapshot(ref.name, snapshot, options);
}

/** Acts on what was seen; where that is no longer so, nothing was done and it is looked at again. */
async function asSeen<T>(
  incus: Incus,
  ref: ContainerRef,
  options: CallOptions,
  act: (seen: { instance: Instance; etag: string }) => Promise<T>,
): Promise<T> {
  for (let looks = 1; ; looks += 1) {
    const seen = await whole(incus, ref, options);
    try {
      return await act(seen);
    } catch (error) {
      if (!isIncusError(error) || error.status !== changed || looks === looksMax) throw error;
    }
  }
}

/**
 * Incus lets a container be changed while it unpacks its image, and then finds its disk in the way: one that is being
 * made is waited for.
 */
async function whole(
  incus: Incus,
  ref: ContainerRef,
  options: CallOptions,
): Promise<{ instance: Instance; etag: string }> {
  const seen = await meant(incus, ref, options);
  const { signal = new AbortController().signal } = options;
  return (await untilMade(incus, seen.instance, signal)) ? meant(incus, ref, options) : seen;
}
