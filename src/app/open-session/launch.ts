// Launches a new container for a session.
import { randomUUID } from 'node:crypto';
import { requestedFault } from '../../host/process/fault.ts';
import type { Slot } from '../../names.ts';
import { newSessionId } from '../../names.ts';
import {
  type LaunchContext,
  launchSteps,
  reservationOf,
  retryLaunch,
} from '../../session/lifecycle/launch.ts';
import { runSteps, type StepEvent, withFault } from '../../session/lifecycle/steps.ts';
import { lockedTreeNotices } from '../../session/protect/locked-trees.ts';
import type { SavedSession } from '../../session/record/choose-session.ts';
import { ownershipNotices } from '../../session/store/ownership-notice.ts';
import { autostartingCoid } from '../coid-autostart.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { planExtras } from '../session-spec/forwards.ts';
import { checkStaleBase } from '../session-spec/image-freshness.ts';
import { makeSessionSpec, restartSettings } from '../session-spec/make-session-spec.ts';
import { serverFacts } from '../session-spec/server-facts.ts';
import { sessionInputs } from '../session-spec/session-inputs.ts';
import type { LiveSession } from './live-session.ts';
import { planSessionAgent, type ReadySession } from './session-agent.ts';
import { removeNewSession } from './undo-start.ts';

export interface LaunchRequest {
  readonly slot: Slot | undefined;
  /** The session to resume. */
  readonly saved: SavedSession | undefined;
}

/** Throws if a step fails, after undoing the others. */
export async function launchSession(
  app: AppContext,
  request: OpenSessionRequest,
  selected: ReadySession,
  { slot, saved }: LaunchRequest,
  report: (event: StepEvent) => void,
): Promise<LiveSession> {
  const { at, resolved } = selected;
  const session = saved?.id ?? newSessionId();
  const inputs = sessionInputs(app, request, selected);
  const known = { session, resumed: saved !== undefined, isNew: !saved };
  const agent = planSessionAgent(app, request, selected, inputs, known);
  const wanted = makeSessionSpec(app, resolved, at, {
    session,
    tool: agent.tool.name,
    slot,
    persistent: selected.persistent,
    mounts: inputs.mounts,
    disposable: false,
    restartSettings: await restartSettings(app, resolved, at.workspace),
  });
  const [server, incus, coid] = await Promise.all([
    serverFacts(app, wanted.image, wanted.storagePool),
    app.incus(),
    autostartingCoid(app),
    checkStaleBase(app, resolved),
  ]);
  const { createStore, fillStore, discardStore, recordSession } = agent;
  const context: LaunchContext = {
    spec: wanted,
    server,
    incus,
    coid,
    createStore,
    fillStore,
    discardStore,
    recordSession,
    plan: undefined,
    reservation: undefined,
    startId: randomUUID(),
  };
  const extras = planExtras(app, resolved);
  const steps = withFault(extras.steps(launchSteps), requestedFault(app.env));
  const watch = {
    // The slot is known once it is reserved, and is reported before anything else about the session.
    report: (event: StepEvent) => {
      report(event);
      if (event.kind === 'done' && event.name === 'reserve')
        reportSlot(app, slot, context, session);
    },
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  };
  await retryLaunch(() => runSteps(steps, context, watch));
  const reservation = reservationOf(context);
  const ref = { name: reservation.container, mountsId: reservation.id };
  return {
    container: reservation.container,
    reservation: reservation.id,
    session,
    slot: reservation.slot,
    workspace: at.workspace,
    target: at.target,
    store: { dir: agent.storeDir, session, tool: agent.tool.name },
    command: agent.command,
    again: agent.again,
    needs: agent.needs,
    undoStart: () => removeNewSession(incus, ref, discardStore),
    conversation: agent.conversation,
    // Last, because a project must not change the variables that keep the conversation in its mount.
    environment: { ...inputs.variables, ...extras.environment(), ...agent.environment },
  };
}

function reportSlot(
  { report }: AppContext,
  wanted: Slot | undefined,
  context: LaunchContext,
  session: string,
): void {
  const reservation = reservationOf(context);
  const { slot } = reservation;
  if (wanted === undefined) report.detail(`Auto-allocated slot ${slot}`);
  else if (Number(wanted) !== Number(slot))
    report.info(`Slot ${wanted} is occupied, using slot ${slot} instead`);
  report.detail(`Setting up session ${session}...`);
  for (const line of ownershipNotices(reservation)) report.setup(line);
  for (const line of lockedTreeNotices(reservation.mounts)) report.warn(line);
}
