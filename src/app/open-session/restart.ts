// Restarts a session in its stopped container.
import { randomUUID } from 'node:crypto';
import { requestedFault } from '../../host/process/fault.ts';
import { parseAlias, type WorkspacePath } from '../../names.ts';
import type { RefreshSpec } from '../../session/lifecycle/refresh.ts';
import { type RestartContext, restartSteps } from '../../session/lifecycle/restart.ts';
import { runSteps, type StepEvent, withFault } from '../../session/lifecycle/steps.ts';
import { portVariables } from '../../session/plan/ports.ts';
import { lockedTreeNotices } from '../../session/protect/locked-trees.ts';
import type { SavedSession, StoppedSession } from '../../session/record/choose-session.ts';
import { refOf } from '../../session/record/container-ref.ts';
import { ownershipNotices } from '../../session/store/ownership-notice.ts';
import { autostartingCoid } from '../coid-autostart.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { stopPersistent } from '../run-command/stop-persistent.ts';
import { restartSettings } from '../session-spec/make-session-spec.ts';
import { checkPorts } from '../session-spec/restart-ports.ts';
import { sessionInputs } from '../session-spec/session-inputs.ts';
import { withGit } from '../session-spec/workspace-mount.ts';
import type { LiveSession } from './live-session.ts';
import type { SelectedSession } from './select-session.ts';
import { planSessionAgent, type ReadySession } from './session-agent.ts';

export interface RestartRequest {
  readonly container: StoppedSession;
  /** Its conversation, if it is resumed. */
  readonly saved: SavedSession | undefined;
}

/** Throws if a step fails, after stopping the container again. */
export async function restartSession(
  app: AppContext,
  request: OpenSessionRequest,
  selected: ReadySession,
  { container, saved }: RestartRequest,
  report: (event: StepEvent) => void,
): Promise<LiveSession> {
  const { session: record } = container;
  const { session } = record;
  const at = { ...selected.at, target: record.target };
  const inputs = sessionInputs(app, request, { ...selected, at, earlier: record });
  const known = { session, resumed: saved !== undefined, isNew: false };
  const agent = planSessionAgent(app, request, { ...selected, at }, inputs, known);
  const [incus, coid] = await Promise.all([app.incus(), autostartingCoid(app)]);
  app.report.detail(`Setting up session ${session}...`);
  for (const line of ownershipNotices({ ...record.mounts, mounts: [] })) app.report.setup(line);
  const { createStore } = agent;
  const fillStore = () => {
    agent.fillStore();
    agent.recordSession({ container: container.name, slot: record.slot });
  };
  const mounts = withGit(at, inputs.mounts);
  const spec = await refreshRequest(app, selected, agent.tool.name, record.workspace);
  const startId = randomUUID();
  const ports = await checkPorts(app, container.instance);
  const context: RestartContext = {
    container,
    incus,
    coid,
    createStore,
    fillStore,
    mounts,
    spec,
    startId,
    ports,
    parts: [],
    changes: undefined,
  };
  await runSteps(withFault(restartSteps, requestedFault(app.env)), context, {
    report,
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  });
  for (const line of lockedTreeNotices(context.made)) app.report.warn(line);
  return {
    container: container.name,
    reservation: record.mounts.id,
    session,
    slot: record.slot,
    workspace: record.workspace,
    target: record.target,
    store: { dir: agent.storeDir, session, tool: agent.tool.name },
    command: agent.command,
    again: agent.again,
    needs: agent.needs,
    undoStart: () => stopPersistent(app, refOf(container.instance)),
    conversation: agent.conversation,
    // Last, because a project must not change the variables that keep the conversation in its mount.
    environment: { ...inputs.variables, ...portVariables(ports.left), ...agent.environment },
  };
}

async function refreshRequest(
  app: AppContext,
  { resolved, persistent }: SelectedSession,
  tool: string,
  workspace: WorkspacePath,
): Promise<RefreshSpec> {
  const { settings, profile } = resolved;
  const alias = settings['container.alias'];
  return {
    ...(await restartSettings(app, resolved, workspace)),
    alias: alias ? parseAlias(alias) : undefined,
    tool,
    persistent,
    profile,
  };
}
