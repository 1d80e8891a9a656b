// All changes of an existing container. Each checks directly before its request that the name still refers to the same
// container. Updates and restores use the ETag of that check, so Incus rejects them for another container. Incus has no
// such condition for state changes, deletions and new snapshots: a gap between two requests remains, in which the container
// could be replaced by another with its name.
import { CoiError } from '../../errors.ts';
import type { CallOptions, Incus, Operation } from '../../incus/client.ts';
import type { Instance, InstancePatch, StateChange } from '../../incus/shapes.ts';
import { isIncusError } from '../lifecycle/incus-failure.ts';
import { waitUntilCreated } from '../lifecycle/incus-operations.ts';
import { type ContainerRef, matchesRef } from './container-ref.ts';

export type { ContainerRef } from './container-ref.ts';

/** The container is gone, or another container has its name. Nothing was changed. */
export class StaleContainerRef extends CoiError {
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

/** How often a request is repeated because somebody else, such as coid, changed the container between check and request. */
const attemptsMax = 10;
const preconditionFailed = 412;

/** Its current state and ETag; undefined if it is gone, even if another container has its name. Throws IncusError. */
export async function findByRef(
  incus: Incus,
  ref: ContainerRef,
  options?: CallOptions,
): Promise<{ instance: Instance; etag: string } | undefined> {
  const found = await incus.instance(ref.name, options);
  return found && matchesRef(ref, found.instance) ? found : undefined;
}

/** Its current state and ETag. Throws StaleContainerRef. */
export async function getByRef(
  incus: Incus,
  ref: ContainerRef,
  options?: CallOptions,
): Promise<{ instance: Instance; etag: string }> {
  const found = await incus.instance(ref.name, options);
  if (found && matchesRef(ref, found.instance)) return found;
  throw new StaleContainerRef(ref.name, found !== undefined);
}

/** Throws StaleContainerRef; the operation throws it too, if the request has to be repeated and the container was replaced. */
export function changeState(
  incus: Incus,
  ref: ContainerRef,
  change: StateChange,
  options: CallOptions = {},
): Promise<Operation> {
  const before = async () => void (await getByRef(incus, ref, options));
  return incus.changeState(ref.name, change, { ...options, before });
}

/** Incus refuses a container that is not stopped. Throws StaleContainerRef. */
export function deleteContainer(
  incus: Incus,
  ref: ContainerRef,
  options: CallOptions = {},
): Promise<Operation> {
  const before = async () => void (await getByRef(incus, ref, options));
  return incus.deleteInstance(ref.name, { ...options, before });
}

/** Changes keys and devices; the patch may depend on the current state. Throws StaleContainerRef. */
export function updateContainer(
  incus: Incus,
  ref: ContainerRef,
  patch: InstancePatch | ((instance: Instance) => InstancePatch),
  options: CallOptions = {},
): Promise<void> {
  return withEtag(incus, ref, options, ({ instance, etag }) =>
    incus.updateInstance(ref.name, typeof patch === 'function' ? patch(instance) : patch, {
      ...options,
      etag,
    }),
  );
}

/** Replaces the whole configuration, the only way to remove a device. Throws StaleContainerRef. */
export function replaceContainer(
  incus: Incus,
  ref: ContainerRef,
  change: (instance: Instance) => Instance,
  options: CallOptions = {},
): Promise<void> {
  return withEtag(incus, ref, options, ({ instance, etag }) =>
    incus.replaceInstance(ref.name, change(instance), { ...options, etag }),
  );
}

/** Throws StaleContainerRef. */
export async function takeSnapshotOf(
  incus: Incus,
  ref: ContainerRef,
  snapshot: { name: string; stateful?: boolean },
  options: CallOptions = {},
): Promise<Operation> {
  await getByRef(incus, ref, options);
  return incus.createSnapshot(ref.name, snapshot, options);
}

/** Restores a stopped container. Throws StaleContainerRef, and `session-live` if it was started meanwhile. */
export function restoreSnapshotOf(
  incus: Incus,
  ref: ContainerRef,
  snapshot: { name: string; stateful?: boolean },
  options: CallOptions = {},
): Promise<Operation> {
  return withEtag(incus, ref, options, ({ instance, etag }) => {
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

/** Throws StaleContainerRef. */
export async function deleteSnapshotOf(
  incus: Incus,
  ref: ContainerRef,
  snapshot: string,
  options: CallOptions = {},
): Promise<Operation> {
  await getByRef(incus, ref, options);
  return incus.deleteSnapshot(ref.name, snapshot, options);
}

/** Runs `act` with the current state; repeats it if the container was changed in between. */
async function withEtag<T>(
  incus: Incus,
  ref: ContainerRef,
  options: CallOptions,
  act: (seen: { instance: Instance; etag: string }) => Promise<T>,
): Promise<T> {
  for (let looks = 1; ; looks += 1) {
    const seen = await getWhenCreated(incus, ref, options);
    try {
      return await act(seen);
    } catch (error) {
      if (!isIncusError(error) || error.status !== preconditionFailed || looks === attemptsMax)
        throw error;
    }
  }
}

/**
 * Waits for a container that is being created: Incus allows changes while it unpacks the image, but then fails because the
 * disk already exists.
 */
async function getWhenCreated(
  incus: Incus,
  ref: ContainerRef,
  options: CallOptions,
): Promise<{ instance: Instance; etag: string }> {
  const seen = await getByRef(incus, ref, options);
  const { signal = new AbortController().signal } = options;
  return (await waitUntilCreated(incus, seen.instance, signal))
    ? getByRef(incus, ref, options)
    : seen;
}
