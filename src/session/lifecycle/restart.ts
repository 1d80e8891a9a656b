// The steps that start the stopped container of a persistent session.
import type { Coid } from '../../coid-api/client.ts';
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { Incus, Operation } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { type Forwarding, removePorts } from '../plan/ports.ts';
import type { PlannedMount } from '../plan/session-spec.ts';
import {
  type ContainerRef,
  changeState,
  findByRef,
  replaceContainer,
  updateContainer,
} from '../record/change-instance.ts';
import type { StoppedSession } from '../record/choose-session.ts';
import { refOf } from '../record/container-ref.ts';
import { incusFailure, isIncusError } from './incus-failure.ts';
import { mountRequests, planRefresh, type Refresh, type RefreshSpec } from './refresh.ts';
import type { Step } from './steps.ts';

const startMs = 120_000;
const undoMs = 60_000;

export interface RestartContext {
  readonly container: StoppedSession;
  readonly incus: Incus;
  readonly coid: Coid;
  /** Returns the store's directories as mounts. */
  readonly createStore: () => PlannedMount[];
  /** Updates the store with current credentials and settings; the session is reserved by now. */
  readonly fillStore: () => void;
  /** Extra mounts from the current configuration. */
  readonly mounts: readonly PlannedMount[];
  readonly spec: RefreshSpec;
  /** Its forwarded ports, and those whose host port is in use by now. */
  readonly ports: { readonly left: readonly Forwarding[]; readonly lost: readonly Forwarding[] };
  /** Identifies this start. */
  readonly startId: string;
  parts: readonly PlannedMount[];
  changes: Refresh | undefined;
  /** The mounts from coid. */
  made?: readonly ReservedMount[];
  /** The start operation in Incus. */
  starting?: Operation;
  /** Incus refused to start it. */
  refused?: boolean;
}

const guardKeys = [keys.network, keys.policy];

export const restartSteps: readonly Step<RestartContext>[] = [
  {
    name: 'store',
    title: 'Checking the session store',
    run: async (context) => {
      context.parts = context.createStore();
    },
  },
  {
    name: 'mounts',
    title: 'Recreating the mounts',
    run: async (context, signal) => {
      const { coid, container, spec, startId } = context;
      const mounts = [...context.parts, ...context.mounts];
      const made = await coid.remount(
        container.name,
        {
          id: container.session.mounts.id,
          startId,
          mounts: mountRequests(container.session, mounts),
          network: spec.network,
          ...(spec.protect ? { protect: spec.protect } : {}),
          secrets: spec.secrets ?? [],
        },
        { signal },
      );
      context.made = made;
      const { gone, config, devices } = planRefresh(container, spec, mounts, made);
      const ports = removePorts(context.ports.left, context.ports.lost);
      context.changes = {
        gone: [...gone, ...ports.gone],
        config: { ...config, ...ports.config },
        devices,
      };
    },
  },
  // Only after coid has confirmed that nobody else is starting it.
  {
    name: 'fill',
    title: 'Refreshing the session store',
    run: async (context) => context.fillStore(),
    undo: async ({ coid, startId }) => coid.releaseStart(startId),
  },
  {
    name: 'update',
    title: 'Updating the container',
    run: async ({ incus, coid, container, changes, startId }, signal) => {
      if (!changes) throw new Error('a step ran before what it needs was known');
      await apply(incus, refOf(container.instance), changes, signal);
      // coid's guards use these keys: they must apply before anything runs.
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
        // Without the signal: Incus may still execute an aborted request, after the undo has checked.
        const change = { action: 'start', timeout: 60 } as const;
        context.starting = await changeState(incus, refOf(container.instance), change);
        await context.starting.wait({ signal, timeoutMs: startMs });
      } catch (error) {
        // Incus refused: if the container runs, somebody else started it.
        context.refused = isIncusError(error) && error.errno === undefined;
        throw incusFailure(error, `starting ${container.name} failed`);
      }
    },
    undo: async ({ incus, container, refused, starting }) => {
      if (refused) return;
      // An interrupted start continues in Incus; its result is checked below.
      await starting?.wait({ timeoutMs: undoMs }).catch(() => undefined);
      const ref = refOf(container.instance);
      if ((await findByRef(incus, ref))?.instance.status !== 'Running') return;
      const stop = await changeState(incus, ref, { action: 'stop', force: true, timeout: 30 });
      await stop.wait({ timeoutMs: startMs });
    },
  },
];

/** One PATCH, or one PUT if a device must be removed. */
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
