// The steps from a stopped container to a running one: a persistent session that goes on.
import type { Coid } from '../../coid-api/client.ts';
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { Incus, Operation } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { type Forwarding, withoutPorts } from '../plan/ports.ts';
import type { PlannedMount } from '../plan/session-wish.ts';
import {
  type ContainerRef,
  changeState,
  findMeant,
  replaceContainer,
  updateContainer,
} from '../record/change-instance.ts';
import type { StoppedSession } from '../record/choose-session.ts';
import { refOf } from '../record/container-ref.ts';
import { incusFailure, isIncusError } from './incus-failure.ts';
import { mountRequests, type Refresh, type RefreshWish, refresh } from './refresh.ts';
import type { Step } from './steps.ts';

const startMs = 120_000;
const undoMs = 60_000;

export interface RestartContext {
  readonly container: StoppedSession;
  readonly incus: Incus;
  readonly coid: Coid;
  /** The store's directories as mounts. */
  readonly makeStore: () => PlannedMount[];
  /** Brings the store, which is nobody else's by now, up to date: fresh credentials, settings. */
  readonly fillStore: () => void;
  /** Extra mounts of today's configuration. */
  readonly mounts: readonly PlannedMount[];
  readonly wish: RefreshWish;
  /** Ports that lead into it, and those whose place on the host is another's by now. */
  readonly ports: { readonly left: readonly Forwarding[]; readonly lost: readonly Forwarding[] };
  /** Tells this start from any other. */
  readonly startId: string;
  parts: readonly PlannedMount[];
  changes: Refresh | undefined;
  /** The mounts, once coid has made them. */
  made?: readonly ReservedMount[];
  /** Incus works on it, or has. */
  starting?: Operation;
  /** Incus refused to start it. */
  refused?: boolean;
}

const guardKeys = [keys.network, keys.policy];

export const restartSteps: readonly Step<RestartContext>[] = [
  {
    name: 'store',
    title: 'Looking at the session store',
    run: async (context) => {
      context.parts = context.makeStore();
    },
  },
  {
    name: 'mounts',
    title: 'Making the mounts again',
    run: async (context, signal) => {
      const { coid, container, wish, startId } = context;
      const mounts = [...context.parts, ...context.mounts];
      const made = await coid.remount(
        container.name,
        {
          id: container.session.mounts.id,
          startId,
          mounts: mountRequests(container.session, mounts),
          network: wish.network,
          ...(wish.protect ? { protect: wish.protect } : {}),
          secrets: wish.secrets ?? [],
        },
        { signal },
      );
      context.made = made;
      const { gone, config, devices } = refresh(container, wish, mounts, made);
      const ports = withoutPorts(context.ports.left, context.ports.lost);
      context.changes = {
        gone: [...gone, ...ports.gone],
        config: { ...config, ...ports.config },
        devices,
      };
    },
  },
  // Not before coid has said that nobody else is starting it.
  {
    name: 'fill',
    title: 'Refreshing the session store',
    run: async (context) => context.fillStore(),
    undo: async ({ coid, startId }) => coid.giveUp(startId),
  },
  {
    name: 'update',
    title: 'Updating the container',
    run: async ({ incus, coid, container, changes, startId }, signal) => {
      if (!changes) throw new Error('a step ran before what it needs was known');
      await apply(incus, refOf(container.instance), changes, signal);
      // coid guards by the keys: they must be in force before anything runs.
      if (guardKeys.some((key) => changes.config[key] !== undefined))
        await coid.remount(
          container.name,
          { id: container.session.mounts.id, startId },
          { signal },
        );
    },
  },
  {
    name: 'start',
    title: 'Starting the container',
    run: async (context, signal) => {
      const { incus, container } = context;
      try {
        // Asked without the signal: a request that is dropped may be carried out all the same, after the undo has looked.
        const change = { action: 'start', timeout: 60 } as const;
        context.starting = await changeState(incus, refOf(container.instance), change);
        await context.starting.wait({ signal, timeoutMs: startMs });
      } catch (error) {
        // Incus would not: if it runs nevertheless, somebody else started it.
        context.refused = isIncusError(error) && error.errno === undefined;
        throw incusFailure(error, `starting ${container.name} failed`);
      }
    },
    undo: async ({ incus, container, refused, starting }) => {
      if (refused) return;
      // An interrupted start goes on in Incus; how it ends is seen below.
      await starting?.wait({ timeoutMs: undoMs }).catch(() => undefined);
      const ref = refOf(container.instance);
      if ((await findMeant(incus, ref))?.instance.status !== 'Running') return;
      const stop = await changeState(incus, ref, { action: 'stop', force: true, timeout: 30 });
      await stop.wait({ timeoutMs: startMs });
    },
  },
];

/** One PATCH, or one PUT where a device has to go. */
async function apply(
  incus: Incus,
  ref: ContainerRef,
  { config, devices, gone }: Refresh,
  signal: AbortSignal,
): Promise<void> {
  if (gone.length === 0) {
    if (Object.keys(config).length + Object.keys(devices).length > 0)
      await updateContainer(incus, ref, { config, devices }, { signal });
    return;
  }
  const change = (instance: Instance): Instance => ({
    ...instance,
    config: without({ ...instance.config, ...config }, (_, value) => value === ''),
    devices: without({ ...instance.devices, ...devices }, (device) => gone.includes(device)),
  });
  await replaceContainer(incus, ref, change, { signal });
}

function without<T>(
  from: Readonly<Record<string, T>>,
  unwanted: (key: string, value: T) => boolean,
): Record<string, T> {
  return Object.fromEntries(Object.entries(from).filter(([key, value]) => !unwanted(key, value)));
}
