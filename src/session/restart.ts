// The steps from a stopped container to a running one: a persistent session that goes on.
import type { Coid } from '../daemon/client.ts';
import type { Incus } from '../incus/client.ts';
import type { Config } from '../incus/shapes.ts';
import type { StoppedSession } from './choose.ts';
import { incusFailure } from './failure.ts';
import { agentDevice, withoutAgent } from './ssh-agent.ts';
import type { Step } from './steps.ts';

const startMs = 120_000;

export interface RestartContext {
  readonly container: StoppedSession;
  readonly incus: Incus;
  readonly coid: Coid;
  /** Brings the store up to date (fresh credentials, settings) while nothing runs it. */
  readonly refreshStore: () => void;
  /** Keys of the instance that follow today's configuration. */
  readonly config: Config;
}

export const restartSteps: readonly Step<RestartContext>[] = [
  {
    name: 'store',
    title: 'Refreshing the session store',
    run: async (context) => context.refreshStore(),
  },
  {
    name: 'mounts',
    title: 'Making the mounts again',
    run: async ({ coid, container }, signal) => {
      await coid.remount(container.name, { signal });
    },
  },
  {
    name: 'update',
    title: 'Updating the container',
    run: async ({ incus, coid, container, config }, signal) => {
      const changed = Object.entries(config).filter(
        ([key, value]) => (container.instance.config[key] ?? '') !== value,
      );
      if (changed.length > 0)
        await incus.updateInstance(
          container.name,
          { config: Object.fromEntries(changed) },
          { signal },
        );
      // coid guards by the keys: they must be in force before anything runs.
      if (changed.some(([key]) => key === 'user.coi.network' || key === 'user.coi.policy'))
        await coid.remount(container.name, { signal });
    },
  },
  {
    // It would slow the start down by a second and may point to an agent that is gone; a new one is added later.
    name: 'agent',
    title: 'Removing the last SSH agent',
    run: async ({ incus, container }, signal) => {
      if (container.instance.devices[agentDevice])
        await withoutAgent(incus, container.name, signal);
    },
  },
  {
    name: 'start',
    title: 'Starting the container',
    run: async ({ incus, container }, signal) => {
      try {
        const start = await incus.changeState(
          container.name,
          { action: 'start', timeout: 60 },
          { signal },
        );
        await start.wait({ signal, timeoutMs: startMs });
      } catch (error) {
        throw incusFailure(error, `starting ${container.name} failed`);
      }
    },
    undo: async ({ incus, container }) => {
      const found = await incus.instance(container.name);
      if (found?.instance.status !== 'Running') return;
      const stop = await incus.changeState(container.name, {
        action: 'stop',
        force: true,
        timeout: 30,
      });
      await stop.wait({ timeoutMs: startMs });
    },
  },
];
