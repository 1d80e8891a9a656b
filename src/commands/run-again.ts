// `coi run` in the kept container of an earlier one: it starts again, as today's configuration says.

import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import type { Slot } from '../names.ts';
import { choice, type StoppedSession } from '../session/choose.ts';
import { type ContainerRef, refOf } from '../session/container-ref.ts';
import { heldWhole } from '../session/held-whole.ts';
import type { SessionWish } from '../session/plan.ts';
import { portVariables } from '../session/ports.ts';
import { noTool } from '../session/record.ts';
import { type RestartContext, restartSteps } from '../session/restart.ts';
import { runSteps } from '../session/steps.ts';
import { stepProgress } from '../ui/progress.ts';
import type { Timing } from '../ui/timing.ts';
import { reserveOrStart } from './coid.ts';
import { named } from './here.ts';
import { keptPorts } from './kept-ports.ts';
import { ownContainers } from './meant.ts';
import type { Place } from './prepare.ts';

interface Again {
  readonly ref: ContainerRef;
  /** Variables that tell of its ports. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The stopped container of an earlier `coi run --persistent` that fits, if there is one. Containers of agents are theirs. */
export async function keptPlain(
  app: App,
  { workspace: path, real, target }: Pick<Place, 'workspace' | 'real' | 'target'>,
  slot: Slot | undefined,
): Promise<StoppedSession | undefined> {
  const own = (await ownContainers(app, named({ path, real }))).filter(
    // Begun through a link, it may have its workspace at another place.
    ({ session }) => session?.tool === noTool && session.target === target,
  );
  const chosen = choice({ resume: undefined, slot, persistent: true }, own, [], () => undefined);
  return chosen.kind === 'restart' ? chosen.container : undefined;
}

export async function restartPlain(
  app: App,
  container: StoppedSession,
  wanted: SessionWish,
  timing: Pick<Timing, 'tell'>,
): Promise<Again> {
  const [incus, coid] = await Promise.all([app.incus(), reserveOrStart(app)]);
  app.io.tell('Restarting existing persistent container...');
  const ports = await keptPorts(app, container.instance);
  const progress = stepProgress(app.io);
  const { mounts } = wanted;
  const context: RestartContext = {
    ...{ container, incus, coid, mounts, wish: wanted, parts: [], changes: undefined },
    ports,
    startId: randomUUID(),
    makeStore: () => [],
    fillStore: () => {},
  };
  await runSteps(restartSteps, context, {
    tell: (event) => {
      progress.tell(event);
      timing.tell(event);
    },
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  });
  for (const line of heldWhole(context.made)) app.io.warn(line);
  return { ref: refOf(container.instance), environment: portVariables(ports.left) };
}
