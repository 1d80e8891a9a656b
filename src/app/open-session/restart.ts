// A session goes on in its own container, which is stopped.
import { randomUUID } from 'node:crypto';
import { askedFault } from '../../host/process/fault.ts';
import { parseAlias, type WorkspacePath } from '../../names.ts';
import type { RefreshWish } from '../../session/lifecycle/refresh.ts';
import { type RestartContext, restartSteps } from '../../session/lifecycle/restart.ts';
import { runSteps, type StepEvent, withFault } from '../../session/lifecycle/steps.ts';
import { portVariables } from '../../session/plan/ports.ts';
import { heldWhole } from '../../session/protect/held-whole.ts';
import type { SavedSession, StoppedSession } from '../../session/record/choose-session.ts';
import { refOf } from '../../session/record/container-ref.ts';
import { whoseFiles } from '../../session/store/ownership-notice.ts';
import { reserveOrStart } from '../coid-autostart.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { stopKept } from '../run-command/stop-persistent.ts';
import { keptPorts } from '../session-spec/kept-ports.ts';
import { sessionInputs } from '../session-spec/session-inputs.ts';
import { following } from '../session-spec/session-wish.ts';
import { withGit } from '../session-spec/workspace-mount.ts';
import type { LiveSession } from './live-session.ts';
import type { SelectedSession } from './select-session.ts';
import { agentOf, type ReadySession } from './session-agent.ts';

export interface Restarting {
  readonly container: StoppedSession;
  /** Its conversation, if that goes on. */
  readonly saved: SavedSession | undefined;
}

/** Throws what a failed step means; the container is stopped again then. */
export async function restarted(
  app: AppContext,
  request: OpenSessionRequest,
  selected: ReadySession,
  { container, saved }: Restarting,
  tell: (event: StepEvent) => void,
): Promise<LiveSession> {
  const { session: record } = container;
  const { session } = record;
  const at = { ...selected.at, target: record.target };
  const inputs = sessionInputs(app, request, { ...selected, at, earlier: record });
  const known = { session, resumed: saved !== undefined, isNew: false };
  const agent = agentOf(app, request, { ...selected, at }, inputs, known);
  const [incus, coid] = await Promise.all([app.incus(), reserveOrStart(app)]);
  app.report.detail(`Setting up session ${session}...`);
  for (const line of whoseFiles({ ...record.mounts, mounts: [] })) app.report.setup(line);
  const { makeStore } = agent;
  const fillStore = () => {
    agent.fillStore();
    agent.recordSession({ container: container.name, slot: record.slot });
  };
  const mounts = withGit(at, inputs.mounts);
  const wish = await refreshWish(app, selected, agent.tool.name, record.workspace);
  const startId = randomUUID();
  const ports = await keptPorts(app, container.instance);
  const context: RestartContext = {
    container,
    incus,
    coid,
    makeStore,
    fillStore,
    mounts,
    wish,
    startId,
    ports,
    parts: [],
    changes: undefined,
  };
  await runSteps(withFault(restartSteps, askedFault(app.env)), context, {
    tell,
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  });
  for (const line of heldWhole(context.made)) app.report.warn(line);
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
    takeBack: () => stopKept(app, refOf(container.instance)),
    conversation: agent.conversation,
    // What keeps the conversation in its mount is not for a project to change.
    environment: { ...inputs.variables, ...portVariables(ports.left), ...agent.environment },
  };
}

async function refreshWish(
  app: AppContext,
  { resolved, persistent }: SelectedSession,
  tool: string,
  workspace: WorkspacePath,
): Promise<RefreshWish> {
  const { settings, profile } = resolved;
  const alias = settings['container.alias'];
  return {
    ...(await following(app, resolved, workspace)),
    alias: alias ? parseAlias(alias) : undefined,
    tool,
    persistent,
    profile,
  };
}
