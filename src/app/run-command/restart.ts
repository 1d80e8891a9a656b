// `coi run` in the kept container of an earlier one: it starts again, as today's configuration says.
import { randomUUID } from 'node:crypto';
import type { Slot } from '../../names.ts';
import { type RestartContext, restartSteps } from '../../session/lifecycle/restart.ts';
import { runSteps } from '../../session/lifecycle/steps.ts';
import { portVariables } from '../../session/plan/ports.ts';
import type { SessionWish } from '../../session/plan/session-wish.ts';
import { heldWhole } from '../../session/protect/held-whole.ts';
import { choice, type StoppedSession } from '../../session/record/choose-session.ts';
import { type ContainerRef, refOf } from '../../session/record/container-ref.ts';
import { noTool } from '../../session/record/instance-record.ts';
import { reserveOrStart } from '../coid-autostart.ts';
import type { AppContext } from '../context.ts';
import { ownContainers } from '../open-session/select-session.ts';
import { keptPorts } from '../session-spec/kept-ports.ts';
import type { Place } from '../workspace.ts';
import { named } from '../workspace-names.ts';

interface Again {
  readonly ref: ContainerRef;
  /** Variables that tell of its ports. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The stopped container of an earlier `coi run --persistent` that fits, if there is one. Containers of agents are theirs. */
export async function keptPlain(
  app: AppContext,
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
  app: AppContext,
  container: StoppedSession,
  wanted: SessionWish,
): Promise<Again> {
  const [incus, coid] = await Promise.all([app.incus(), reserveOrStart(app)]);
  app.report.info('Restarting existing persistent container...');
  const ports = await keptPorts(app, container.instance);
  const progress = app.progress();
  const { mounts } = wanted;
  const context: RestartContext = {
    container,
    incus,
    coid,
    mounts,
    wish: wanted,
    parts: [],
    changes: undefined,
    ports,
    startId: randomUUID(),
    makeStore: () => [],
    fillStore: () => {},
  };
  await runSteps(restartSteps, context, {
    tell: progress.tell,
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  });
  for (const line of heldWhole(context.made)) app.report.warn(line);
  return { ref: refOf(container.instance), environment: portVariables(ports.left) };
}
