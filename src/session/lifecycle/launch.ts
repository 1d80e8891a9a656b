// The steps from a plan to a running container.
import type { Coid } from '../../coid-api/client.ts';
import type { Reservation } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { Incus } from '../../incus/client.ts';
import { autoSlotMax } from '../../names.ts';
import { type ServerFacts, type SessionPlan, sessionPlan } from '../plan/plan.ts';
import type { PlannedMount, SessionSpec } from '../plan/session-spec.ts';
import { isRemoteImage } from '../record/image-source.ts';
import { isNameTaken, NameTaken } from '../record/name-taken.ts';
import { killContainer } from './end-container.ts';
import { incusFailure, isIncusError } from './incus-failure.ts';
import { waitUntilIdle } from './incus-operations.ts';
import { startAgain } from './start-again.ts';
import type { Step } from './steps.ts';

const createMs = 120_000;
const undoMs = 60_000;
/** Below this a pool counts as full: a starting container writes at least that much. */
const poolRoomBytes = 64 * 1024 * 1024;
/** Approximate ratio of unpacked to compressed image size. */
const unpackedRatio = 4;

/** Shared state of the steps. */
export interface LaunchContext {
  readonly spec: SessionSpec;
  readonly server: ServerFacts;
  readonly incus: Incus;
  readonly coid: Coid;
  /** Id of this start, the same for all its attempts. */
  readonly startId: string;
  /** Creates the directories of the store and returns them as mounts; does not touch a session that is in use. */
  readonly createStore: () => PlannedMount[];
  /** Writes into the store before the container starts; the session is reserved by now. */
  readonly fillStore: () => void;
  /** Removes the store of a new session; does nothing for a resumed one. */
  readonly discardStore: () => Promise<void>;
  /** Marks the store as a complete session, once the container has its name. */
  readonly recordSession: (reservation: Reservation) => void;
  plan: SessionPlan | undefined;
  reservation: Reservation | undefined;
}

export const launchSteps: readonly Step<LaunchContext>[] = [
  {
    name: 'store',
    title: 'Preparing the session store',
    run: async (context) => {
      const mounts = [...context.createStore(), ...context.spec.mounts];
      context.plan = sessionPlan({ ...context.spec, mounts }, context.server);
    },
    undo: async (context) => context.discardStore(),
  },
  {
    name: 'reserve',
    title: 'Reserving a slot, an address and mounts',
    run: async (context, signal) => {
      const { startId, spec } = context;
      const request = { ...planOf(context).reserve, persistent: spec.persistent, startId };
      context.reservation = await context.coid.reserve(request, { signal });
    },
    undo: async ({ coid, reservation }) => {
      if (reservation) await coid.release(reservation.id);
    },
  },
  // Only after coid has reserved the session: another container could be using its store.
  {
    name: 'fill',
    title: 'Filling the session store',
    run: async (context) => {
      context.fillStore();
      context.recordSession(reservationOf(context));
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
  const reservation = reservationOf(context);
  try {
    // Without the signal: Incus may still execute an aborted request, after the undo has checked.
    const operation = await incus.createInstance(planOf(context).instance(reservation));
    await operation.wait({ signal, timeoutMs: Math.max(createMs, context.spec.readyMs ?? 0) });
  } catch (error) {
    const ref = { name: reservation.container, mountsId: reservation.id };
    if (await startAgain(incus, ref, error, signal)) return;
    if (isIncusError(error) && error.errno === undefined && (await isNameTaken(incus, reservation)))
      throw new NameTaken(reservation.container, error);
    throw await createFailure(error, context);
  }
}

/**
 * Temporary failures, which Incus reports only as text: a container unknown to coid took the address between reservation and
 * use (nic_bridged.go); and a bare ENOENT while Incus still removes the directories of the previous container with that
 * name, although it no longer lists a task.
 */
const temporary = [/already defined on another NIC/, /^no such file or directory$/];

/**
 * Runs all steps, and once more after a temporary failure. After a lost name it retries up to once per slot, because each
 * time another session was started. Each failed attempt is completely undone first.
 */
export async function retryLaunch(run: () => Promise<void>): Promise<void> {
  let passed = false;
  for (let lost = 0; ; ) {
    try {
      return await run();
    } catch (error) {
      const cause = error instanceof CoiError ? error.cause : error;
      if (error instanceof NameTaken && lost < autoSlotMax) lost += 1;
      else if (!passed && isIncusError(cause) && temporary.some((text) => text.test(cause.message)))
        passed = true;
      else throw error;
    }
  }
}

/** Finds the cause of a failed create, because Incus only returns text. */
async function createFailure(error: unknown, context: LaunchContext): Promise<unknown> {
  const { incus, spec } = context;
  const failure = incusFailure(error, 'starting the container failed');
  if (!(failure instanceof CoiError) || failure.code !== 'incus-failed') return failure;
  const target = spec.fingerprint ?? (await incus.imageAlias(spec.image))?.target;
  if (target === undefined) return imageMissing(spec.image);
  const pool = poolOf(context);
  if (pool === undefined) return failure;
  const [image, { space }] = await Promise.all([incus.image(target), incus.storageResources(pool)]);
  const freeBytes = space.total - space.used;
  const full = freeBytes < poolRoomBytes;
  // By now Incus has removed a partly unpacked image.
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

/** The storage pool of the container's disk. */
function poolOf({ spec, server }: LaunchContext): string | undefined {
  const root = Object.values(server.defaultProfile?.devices ?? {}).find(
    (device) => device['type'] === 'disk' && device['path'] === '/',
  );
  return spec.storagePool ?? root?.['pool'] ?? server.pools?.[0]?.name;
}

export function imageMissing(image: string): CoiError {
  return new CoiError('image-missing', `image '${image}' not found`, {
    hint:
      image === 'coi-default'
        ? 'Build it with `coi build`.'
        : isRemoteImage(image)
          ? `Sessions start from images of this host: set base = ${JSON.stringify(image)} under [container.build] and run \`coi build\`.`
          : 'Build it with `coi build`, or see `coi image list`.',
  });
}

/**
 * Removes the created container, if it is ours and not another one with the same name. An interrupted call continues in
 * Incus, which neither shows nor deletes an instance while it creates it.
 */
async function undoCreate({ incus, coid, startId, reservation }: LaunchContext): Promise<void> {
  if (!reservation) return;
  const { container, id } = reservation;
  const limit = AbortSignal.timeout(undoMs);
  try {
    await waitUntilIdle(incus, container, undoMs / 1000, limit);
  } catch (error) {
    throw incusFailure(error, 'the container could not be deleted');
  }
  await killContainer(incus, { name: container, mountsId: id }, limit);
  // coid may no longer have the reservation, because it has seen the container.
  await coid.releaseStart(startId);
}

function planOf(context: LaunchContext): SessionPlan {
  if (!context.plan) throw new Error('a step ran before the plan');
  return context.plan;
}

export function reservationOf(context: LaunchContext): Reservation {
  if (!context.reservation) throw new Error('a step ran before the reservation');
  return context.reservation;
}
