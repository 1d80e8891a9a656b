// A session gets a new container.
import { askedFault } from '../../host/process/fault.ts';
import type { Slot } from '../../names.ts';
import { newSessionId } from '../../names.ts';
import {
  type LaunchContext,
  launching,
  launchSteps,
  reserved,
} from '../../session/lifecycle/launch.ts';
import { runSteps, type StepEvent, withFault } from '../../session/lifecycle/steps.ts';
import { heldWhole } from '../../session/protect/held-whole.ts';
import type { SavedSession } from '../../session/record/choose-session.ts';
import { whoseFiles } from '../../session/store/ownership-notice.ts';
import { reserveOrStart } from '../coid-autostart.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { extrasOf } from '../session-spec/forwards.ts';
import { checkBase } from '../session-spec/image-freshness.ts';
import { serverFacts } from '../session-spec/server-facts.ts';
import { sessionInputs } from '../session-spec/session-inputs.ts';
import { following, wish } from '../session-spec/session-wish.ts';
import type { LiveSession } from './live-session.ts';
import { agentOf, type ReadySession } from './session-agent.ts';
import { takenBack } from './undo-start.ts';

export interface Launching {
  readonly slot: Slot | undefined;
  /** The session that goes on. */
  readonly saved: SavedSession | undefined;
}

/** Throws what a failed step means; nothing is left then. */
export async function launched(
  app: AppContext,
  request: OpenSessionRequest,
  selected: ReadySession,
  { slot, saved }: Launching,
  tell: (event: StepEvent) => void,
): Promise<LiveSession> {
  const { at, resolved } = selected;
  const session = saved?.id ?? newSessionId();
  const inputs = sessionInputs(app, request, selected);
  const known = { session, resumed: saved !== undefined, isNew: !saved };
  const agent = agentOf(app, request, selected, inputs, known);
  const wanted = wish(app, resolved, at, {
    session,
    tool: agent.tool.name,
    slot,
    persistent: selected.persistent,
    mounts: inputs.mounts,
    disposable: false,
    following: await following(app, resolved, at.workspace),
  });
  const [server, incus, coid] = await Promise.all([
    serverFacts(app, wanted.image, wanted.storagePool),
    app.incus(),
    reserveOrStart(app),
    checkBase(app, resolved),
  ]);
  const { makeStore, fillStore, discardStore, recordSession } = agent;
  const context: LaunchContext = {
    wish: wanted,
    server,
    incus,
    coid,
    makeStore,
    fillStore,
    discardStore,
    recordSession,
    plan: undefined,
    reservation: undefined,
  };
  const extras = extrasOf(app, resolved);
  const steps = withFault(extras.steps(launchSteps), askedFault(app.env));
  const watch = {
    // The slot is known once it is reserved, and is told before anything else of the session.
    tell: (event: StepEvent) => {
      tell(event);
      if (event.kind === 'done' && event.name === 'reserve') slotGiven(app, slot, context, session);
    },
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  };
  await launching(() => runSteps(steps, context, watch));
  const reservation = reserved(context);
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
    takeBack: () => takenBack(incus, ref, discardStore),
    conversation: agent.conversation,
    // What keeps the conversation in its mount is not for a project to change.
    environment: { ...inputs.variables, ...extras.environment(), ...agent.environment },
  };
}

function slotGiven(
  { report }: AppContext,
  wanted: Slot | undefined,
  context: LaunchContext,
  session: string,
): void {
  const reservation = reserved(context);
  const { slot } = reservation;
  if (wanted === undefined) report.detail(`Auto-allocated slot ${slot}`);
  else if (Number(wanted) !== Number(slot))
    report.info(`Slot ${wanted} is occupied, using slot ${slot} instead`);
  report.detail(`Setting up session ${session}...`);
  for (const line of whoseFiles(reservation)) report.setup(line);
  for (const line of heldWhole(reservation.mounts)) report.warn(line);
}
