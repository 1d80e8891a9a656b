// `coi run` in the kept container of an earlier one: it starts again, as today's configuration says.

import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import { choice } from '../session/choose.ts';
import { type ContainerRef, refOf } from '../session/container-ref.ts';
import type { SessionWish } from '../session/plan.ts';
import { portVariables } from '../session/ports.ts';
import { noTool } from '../session/record.ts';
import { restartSteps } from '../session/restart.ts';
import { runSteps } from '../session/steps.ts';
import { stepProgress } from '../ui/progress.ts';
import type { Timing } from '../ui/timing.ts';
import { reserveOrStart } from './coid.ts';
import { named } from './here.ts';
import { keptPorts } from './kept-ports.ts';
import { ownContainers } from './meant.ts';

interface Again {
  readonly ref: ContainerRef;
  /** Variables that tell of its ports. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Undefined where no stopped container of `coi run --persistent` fits. Containers of agents are theirs. */
export async function restartPlain(
  app: App,
  wanted: SessionWish,
  timing: Pick<Timing, 'tell'>,
): Promise<Again | undefined> {
  if (!wanted.persistent) return undefined;
  const { workspace: path, realWorkspace: real = path, target } = wanted;
  const own = (await ownContainers(app, named({ path, real }))).filter(
    // Begun through a link, it may have its workspace at another place.
    ({ session }) => session?.tool === noTool && session.target === target,
  );
  const wish = { resume: undefined, slot: wanted.slot, persistent: true };
  const chosen = choice(wish, own, [], () => undefined);
  if (chosen.kind !== 'restart') return undefined;
  const { container } = chosen;
  const [incus, coid] = await Promise.all([app.incus(), reserveOrStart(app)]);
  app.io.tell('Restarting existing persistent container...');
  const ports = await keptPorts(app, container.instance);
  const progress = stepProgress(app.io);
  const { mounts } = wanted;
  await runSteps(
    restartSteps,
    {
      ...{ container, incus, coid, mounts, wish: wanted, parts: [], changes: undefined },
      ports,
      startId: randomUUID(),
      makeStore: () => [],
      fillStore: () => {},
    },
    {
      tell: (event) => {
        progress.tell(event);
        timing.tell(event);
      },
      elapsedMs: app.clock.elapsedMs,
      signal: app.signal,
    },
  );
  return { ref: refOf(container.instance), environment: portVariables(ports.left) };
}
