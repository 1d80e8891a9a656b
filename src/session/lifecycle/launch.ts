// The steps from a plan to a running container.
import { randomUUID } from 'node:crypto';
import type { Coid } from '../../coid-api/client.ts';
import type { Reservation } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Incus } from '../../incus/client.ts';
import { ownSlotMax } from '../../names.ts';
import { type ServerFacts, type SessionPlan, sessionPlan } from '../plan/plan.ts';
import type { PlannedMount, SessionWish } from '../plan/session-wish.ts';
import { isRemoteImage } from '../record/image-source.ts';
import { LostName, lostName } from '../record/lost-name.ts';
import { killContainer } from './end-container.ts';
import { incusFailure, isIncusError } from './incus-failure.ts';
import { untilIdle } from './incus-operations.ts';
import { startedAgain } from './start-again.ts';
import type { Step } from './steps.ts';

const createMs = 120_000;
const undoMs = 60_000;
/** Below this a pool counts as full: a container that starts writes at least that. */
const poolRoomBytes = 64 * 1024 * 1024;
/** An image takes about that much more when it is unpacked. */
const unpackedRatio = 4;

/** What the steps share. */
export interface LaunchContext {
  readonly wish: SessionWish;
  readonly server: ServerFacts;
  readonly incus: Incus;
  readonly coid: Coid;
  /** Makes the directories of the store and returns them as mounts; whoever has the session now is not disturbed. */
  readonly makeStore: () => PlannedMount[];
  /** Writes into the store, which is nobody else's by now, before the container starts. */
  readonly fillStore: () => void;
  /** Takes the store of a new session away again; does nothing for one that was resumed. */
  readonly discardStore: () => Promise<void>;
  /** Marks the store as that of a whole session, once the container has its name. */
  readonly recordSession: (reservation: Reservation) => void;
  plan: SessionPlan | undefined;
  reservation: Reservation | undefined;
}

export const launchSteps: readonly Step<LaunchContext>[] = [
  {
    name: 'store',
    title: 'Preparing the session store',
    run: async (context) => {
      const mounts = [...context.makeStore(), ...context.wish.mounts];
      context.plan = sessionPlan({ ...context.wish, mounts }, context.server);
    },
    undo: async (context) => context.discardStore(),
  },
  {
    name: 'reserve',
    title: 'Reserving a slot, an address and mounts',
    run: async (context, signal) => {
      const { persistent } = context.wish;
      const request = { ...planned(context).reserve, persistent, startId: randomUUID() };
      context.reservation = await context.coid.reserve(request, { signal });
    },
    undo: async ({ coid, reservation }) => {
      if (reservation) await coid.release(reservation.id);
    },
  },
  // Not before coid has said that nobody else has the session: another's container may be running on its store.
  {
    name: 'fill',
    title: 'Filling the session store',
    run: async (context) => {
      context.fillStore();
      context.recordSession(reserved(context));
    },
  },
  {
    name: 'create',
    title: 'Starting the container',
    run: createInstance,
    undo: undoCreate,
  },
];

async function createInstance(context: LaunchContext, signal: AbortSignal): Promise<void> {
  const { incus } = context;
  const reservation = reserved(context);
  try {
    // Asked without the signal: a request that is dropped may be carried out all the same, after the undo has looked.
    const operation = await incus.createInstance(planned(context).instance(reservation));
    await operation.wait({ signal, timeoutMs: Math.max(createMs, context.wish.readyMs ?? 0) });
  } catch (error) {
    const ref = { name: reservation.container, mountsId: reservation.id };
    if (await startedAgain(incus, ref, error, signal)) return;
    if (isIncusError(error) && error.errno === undefined && (await lostName(incus, reservation)))
      throw new LostName(reservation.container, error);
    throw await createFailure(error, context);
  }
}

/**
 * Failures of Incus, which has only text for them, that pass: a container that coid did not know of yet took the address
 * between its reservation and its use (nic_bridged.go); and a bare ENOENT, where Incus still takes away the directories
 * of the container that had the name before, and no task of it is listed any more.
 */
const passing = [/already defined on another NIC/, /^no such file or directory$/];

/**
 * Runs all of the steps, and once more after such a failure; after a lost name as often as there are slots, since each
 * time somebody else has begun. Nothing of the start before is left then.
 */
export async function launching(run: () => Promise<void>): Promise<void> {
  let passed = false;
  for (let lost = 0; ; ) {
    try {
      return await run();
    } catch (error) {
      const cause = error instanceof CoiError ? error.cause : error;
      if (error instanceof LostName && lost < ownSlotMax) lost += 1;
      else if (!passed && isIncusError(cause) && passing.some((text) => text.test(cause.message)))
        passed = true;
      else throw error;
    }
  }
}

/** A failed create says nothing but text, so its meaning is found by looking. */
async function createFailure(error: unknown, context: LaunchContext): Promise<unknown> {
  const { incus, wish } = context;
  const failure = incusFailure(error, 'starting the container failed');
  if (!(failure instanceof CoiError) || failure.code !== 'incus-failed') return failure;
  const target = wish.fingerprint ?? (await incus.imageAlias(wish.image))?.target;
  if (target === undefined) return imageMissing(wish.image);
  const pool = poolOf(context);
  if (pool === undefined) return failure;
  const [image, { space }] = await Promise.all([incus.image(target), incus.storageResources(pool)]);
  const freeBytes = space.total - space.used;
  const full = freeBytes < poolRoomBytes;
  // What was unpacked of an image that does not fit is gone again by now.
  if (space.total === 0 || !(full || freeBytes < (image?.size ?? 0) * unpackedRatio))
    return failure;
  const free = `${Math.floor(freeBytes / 2 ** 20)} MiB free`;
  const sentence = full
    ? `the storage pool "${pool}" is full (${free})`
    : `starting the container failed, and the storage pool "${pool}" has only ${free}`;
  return new CoiError('incus-failed', sentence, {
    hint: 'Delete sessions (`coi list`, `coi kill`) or old images, or enlarge the pool.',
    cause: error,
  });
}

/** Where the container's disk would be. */
function poolOf({ wish, server }: LaunchContext): string | undefined {
  const root = Object.values(server.defaultProfile?.devices ?? {}).find(
    (device) => device['type'] === 'disk' && device['path'] === '/',
  );
  return wish.storagePool ?? root?.['pool'] ?? server.pools?.[0]?.name;
}

export function imageMissing(image: string): CoiError {
  return new CoiError('image-missing', `image '${image}' not found`, {
    hint:
      image === 'coi-default'
        ? 'Build it with `coi build`.'
        : isRemoteImage(image)
          ? `Sessions start from images of this host: one is built from it with base = ${JSON.stringify(image)} under [container.build] and \`coi build\`.`
          : 'Build it with `coi build`, or see `coi image list`.',
  });
}

/**
 * Ends what the create call made, if it is ours and not another's of the same name. An interrupted call goes on in Incus,
 * which neither shows nor deletes what it is still making.
 */
async function undoCreate({ incus, reservation }: LaunchContext): Promise<void> {
  if (!reservation) return;
  const { container, id } = reservation;
  const limit = AbortSignal.timeout(undoMs);
  try {
    await untilIdle(incus, container, undoMs / 1000, limit);
  } catch (error) {
    throw incusFailure(error, 'the container could not be deleted');
  }
  await killContainer(incus, { name: container, mountsId: id }, limit);
}

function planned(context: LaunchContext): SessionPlan {
  if (!context.plan) throw new Error('a step ran before the plan');
  return context.plan;
}

export function reserved(context: LaunchContext): Reservation {
  if (!context.reservation) throw new Error('a step ran before the reservation');
  return context.reservation;
}
