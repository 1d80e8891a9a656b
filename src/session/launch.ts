// The steps from a plan to a running container.
import type { Coid } from '../daemon/client.ts';
import type { Reservation } from '../daemon/protocol.ts';
import { CoiError } from '../errors.ts';
import type { Incus } from '../incus/client.ts';
import { incusFailure, isMissing } from './failure.ts';
import type { SessionPlan } from './plan.ts';
import { sessionRecord } from './record.ts';
import type { Step } from './steps.ts';

const createMs = 120_000;
const undoMs = 60_000;
/** Below this a pool counts as full: a container that starts writes at least that. */
const poolRoomBytes = 64 * 1024 * 1024;

/** What the steps share. `reservation` is there after the step `reserve`. */
export interface LaunchContext {
  readonly plan: SessionPlan;
  readonly incus: Incus;
  readonly coid: Coid;
  /** Writes the store; awaited before the container starts. */
  readonly prepareStore: () => Promise<void>;
  readonly discardStore: () => Promise<void>;
  reservation: Reservation | undefined;
}

export const launchSteps: readonly Step<LaunchContext>[] = [
  {
    name: 'store',
    title: 'Preparing the session store',
    run: (context) => context.prepareStore(),
    undo: (context) => context.discardStore(),
  },
  {
    name: 'reserve',
    title: 'Reserving a slot, an address and mounts',
    run: async (context, signal) => {
      context.reservation = await context.coid.reserve(context.plan.reserve, { signal });
    },
    undo: async ({ coid, reservation }) => {
      if (reservation) await coid.release(reservation.id);
    },
  },
  {
    name: 'create',
    title: 'Starting the container',
    run: createInstance,
    undo: removeInstance,
  },
];

async function createInstance(context: LaunchContext, signal: AbortSignal): Promise<void> {
  const { incus, plan } = context;
  const reservation = reserved(context);
  try {
    const operation = await incus.createInstance(plan.instance(reservation), { signal });
    await operation.wait({ signal, timeoutMs: createMs });
  } catch (error) {
    throw await createFailure(error, context);
  }
}

/** A failed create says nothing but text, so its meaning is found by looking. */
async function createFailure(error: unknown, { incus, plan }: LaunchContext): Promise<unknown> {
  const failure = incusFailure(error, 'starting the container failed');
  if (!(failure instanceof CoiError) || failure.code !== 'incus-failed') return failure;
  if (!(await incus.imageAlias(plan.wish.image))) return imageMissing(plan.wish.image);
  for (const pool of await incus.storagePools()) {
    const { space } = await incus.storageResources(pool.name);
    if (space.total > 0 && space.total - space.used < poolRoomBytes) {
      return new CoiError('incus-failed', `the storage pool "${pool.name}" is full`, { hint: 'Delete sessions (`coi list`, `coi kill`) or old images, or enlarge the pool.', cause: error });
    }
  }
  return failure;
}

export function imageMissing(image: string): CoiError {
  return new CoiError('image-missing', `image '${image}' not found`, { hint: image === 'coi-default' ? 'Build it with `coi build`.' : 'Build it with `coi build`, or see `coi image list`.' });
}

/** Deletes what the create call made, if it is ours and not another's of the same name. */
async function removeInstance({ incus, reservation }: LaunchContext): Promise<void> {
  if (!reservation) return;
  const found = await incus.instance(reservation.container);
  if (!found || sessionRecord(found.instance.config)?.mounts.id !== reservation.id) return;
  try {
    if (found.instance.status !== 'Stopped') {
      const stop = await incus.changeState(reservation.container, { action: 'stop', force: true, timeout: 30 });
      await stop.wait({ timeoutMs: undoMs });
    }
    const deletion = await incus.deleteInstance(reservation.container);
    await deletion.wait({ timeoutMs: undoMs });
  } catch (error) {
    if (!isMissing(error) && (await incus.instance(reservation.container))) throw error;
  }
}

export function reserved(context: LaunchContext): Reservation {
  if (!context.reservation) throw new Error('a step ran before the reservation');
  return context.reservation;
}
