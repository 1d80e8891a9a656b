// `coi run` in the persistent container of an earlier run: restarts it with the current configuration.
import { randomUUID } from 'node:crypto';
import type { Slot } from '../../names.ts';
import { type RestartContext, restartSteps } from '../../session/lifecycle/restart.ts';
import { runSteps } from '../../session/lifecycle/steps.ts';
import { portVariables } from '../../session/plan/ports.ts';
import type { SessionSpec } from '../../session/plan/session-spec.ts';
import { lockedTreeNotices } from '../../session/protect/locked-trees.ts';
import { chooseSession, type StoppedSession } from '../../session/record/choose-session.ts';
import { type ContainerRef, refOf } from '../../session/record/container-ref.ts';
import { noTool } from '../../session/record/instance-record.ts';
import { autostartingCoid } from '../coid-autostart.ts';
import type { AppContext } from '../context.ts';
import { workspaceSessions } from '../open-session/select-session.ts';
import { checkPorts } from '../session-spec/restart-ports.ts';
import type { MountedWorkspace } from '../workspace.ts';
import { workspaceIdentity } from '../workspace-names.ts';

interface RestartedContainer {
  readonly ref: ContainerRef;
  /** Variables that describe its ports. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A matching stopped container of an earlier `coi run --persistent`, if any. Never a container of an agent. */
export async function findPersistent(
  app: AppContext,
  { workspace: path, real, target }: Pick<MountedWorkspace, 'workspace' | 'real' | 'target'>,
  slot: Slot | undefined,
): Promise<StoppedSession | undefined> {
  const own = (await workspaceSessions(app, workspaceIdentity({ path, real }))).filter(
    // A container that was started through a link may have its workspace elsewhere.
    ({ session }) => session?.tool === noTool && session.target === target,
  );
  const chosen = chooseSession(
    { resume: undefined, slot, persistent: true },
    own,
    [],
    () => undefined,
  );
  return chosen.kind === 'restart' ? chosen.container : undefined;
}

export async function restartPlain(
  app: AppContext,
  container: StoppedSession,
  wanted: SessionSpec,
): Promise<RestartedContainer> {
  const [incus, coid] = await Promise.all([app.incus(), autostartingCoid(app)]);
  app.report.info('Restarting existing persistent container...');
  const ports = await checkPorts(app, container.instance);
  const progress = app.progress();
  const { mounts } = wanted;
  const context: RestartContext = {
    container,
    incus,
    coid,
    mounts,
    spec: wanted,
    parts: [],
    changes: undefined,
    ports,
    startId: randomUUID(),
    createStore: () => [],
    fillStore: () => {},
  };
  await runSteps(restartSteps, context, {
    report: progress.update,
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  });
  for (const line of lockedTreeNotices(context.made)) app.report.warn(line);
  return { ref: refOf(container.instance), environment: portVariables(ports.left) };
}
