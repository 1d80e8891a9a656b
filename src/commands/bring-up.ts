// From the session that is meant to a container that runs: a new one, a resumed one, or a stopped one started again.
import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import { askedFault } from '../host/fault.ts';
import { type ContainerName, parseAlias, type Slot, type WorkspacePath } from '../names.ts';
import { untilMade } from '../session/busy.ts';
import {
  type Choice,
  type SavedSession,
  type StoppedSession,
  sessionLive,
} from '../session/choose.ts';
import { refOf } from '../session/container-ref.ts';
import { outcomeOf } from '../session/end.ts';
import { heldWhole } from '../session/held-whole.ts';
import { type LaunchContext, launching, launchSteps, reserved } from '../session/launch.ts';
import { portVariables } from '../session/ports.ts';
import type { RefreshWish } from '../session/refresh.ts';
import { deletedByCoid, deleteStopped } from '../session/remove.ts';
import { type RestartContext, restartSteps } from '../session/restart.ts';
import { runSteps, type Step, type StepEvent, withFault } from '../session/steps.ts';
import { whoseFiles } from '../session/whose-files.ts';
import { setupFact } from './announce.ts';
import { withMountsOfBefore } from './asked-before.ts';
import { reserveOrStart } from './coid.ts';
import { extrasOf } from './extras.ts';
import { joined } from './join.ts';
import { keptPorts } from './kept-ports.ts';
import type { Meant, ShellOptions } from './meant.ts';
import { takenBy, withGit } from './place-in.ts';
import { extraMounts, following, newSessionId, serverFacts, wish } from './prepare.ts';
import { agentOf, type Ready } from './session-agent.ts';
import { checkBase } from './stale-base.ts';
import { stopKept } from './stop-kept.ts';
import type { AgentSetting } from './tool.ts';
import { takenBack } from './undone.ts';
import { agentEnvironment } from './variables.ts';

/** A container that runs, and what is to be opened in it. */
export interface Live {
  readonly container: ContainerName;
  /** Id of the reservation: tells this container from a later one of that name. Undefined if coi did not make it. */
  readonly reservation: string | undefined;
  /** Its id; undefined in a container that coi did not make. */
  readonly session: string | undefined;
  readonly slot: number | undefined;
  /** On the host. */
  readonly workspace: string;
  readonly target: string;
  /** Undefined in a container that coi did not make. */
  readonly store:
    | { readonly dir: string; readonly session: string; readonly tool: string }
    | undefined;
  readonly command: readonly string[];
  readonly again: AgentSetting['again'];
  /** The agent's program. */
  readonly needs: string | undefined;
  /** Undoes the start, for an agent that turned out not to be there, or an interrupt; undefined for what ran before. */
  readonly takeBack: (() => Promise<void>) | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly conversation: AgentSetting['conversation'];
}

type Tell = (event: StepEvent) => void;

export async function bringUp(
  app: App,
  options: ShellOptions,
  meant: Ready,
  tell: Tell,
): Promise<Live> {
  const { choice } = meant;
  switch (choice.kind) {
    case 'new':
      return launched(app, options, meant, choice.slot, undefined, tell);
    case 'resume':
      await endedBefore(app, choice);
      return launched(app, options, meant, choice.slot, choice.saved, tell);
    case 'restart':
      return restarted(app, options, meant, choice.container, choice.saved, tell);
    case 'join':
      return joined(app, options, meant, choice);
    default:
      return choice satisfies never;
  }
}

/**
 * The last container of a session has to be gone before its store is used again, and its name with it.
 * Throws `session-live` if it only restarted.
 */
async function endedBefore(app: App, { saved, leftover }: Choice & { kind: 'resume' }) {
  if (!leftover) return;
  const { name, session } = leftover;
  const incus = await app.incus();
  await untilMade(incus, leftover.instance, app.signal);
  const outcome = await outcomeOf(incus, name, session.mounts.id, true, app.signal);
  if (outcome.kind === 'running' || outcome.kind === 'frozen') throw sessionLive(saved, name);
  const ref = refOf(leftover.instance);
  if (outcome.kind !== 'removed' || (await deletedByCoid(incus, ref, leftover.instance))) return;
  const deleted = await deleteStopped(incus, ref, app.signal);
  if (deleted === 'runs') throw sessionLive(saved, name);
}

async function launched(
  app: App,
  options: ShellOptions,
  meant: Ready,
  slot: Slot | undefined,
  saved: SavedSession | undefined,
  tell: Tell,
): Promise<Live> {
  const { at, resolved } = meant;
  const session = saved?.id ?? newSessionId();
  const given = agentEnvironment(app, options, resolved, at.workspace);
  const agent = agentOf(app, options, meant, {
    session,
    resumed: saved !== undefined,
    isNew: !saved,
    given,
  });
  const mounts = extraMounts(app, options, resolved, {
    workspace: at.workspace,
    taken: [...takenBy(at), ...agent.targets],
  });
  const wanted = wish(app, resolved, at, {
    session,
    tool: agent.tool.name,
    slot,
    persistent: meant.persistent,
    mounts,
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
  const context = {
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
  // The slot is known once it is reserved, and is told before anything else of the session.
  const telling = (event: StepEvent) => {
    tell(event);
    if (event.kind === 'done' && event.name === 'reserve') slotGiven(app, slot, context, session);
  };
  await launching(() => steps(app, extras.steps(launchSteps), context, telling));
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
    environment: { ...given, ...extras.environment(), ...agent.environment },
  };
}

function slotGiven(
  app: App,
  wanted: Slot | undefined,
  context: LaunchContext,
  session: string,
): void {
  const reservation = reserved(context);
  const { slot } = reservation;
  const { io } = app;
  if (wanted === undefined) io.detail(`Auto-allocated slot ${slot}`);
  else if (Number(wanted) !== Number(slot))
    io.tell(`Slot ${wanted} is occupied, using slot ${slot} instead`);
  io.detail(`Setting up session ${session}...`);
  for (const line of whoseFiles(reservation)) setupFact(app, line);
  for (const line of heldWhole(reservation.mounts)) io.warn(line);
}

async function restarted(
  app: App,
  wanted: ShellOptions,
  meant: Ready,
  container: StoppedSession,
  saved: SavedSession | undefined,
  tell: Tell,
): Promise<Live> {
  const { session: record } = container;
  const session = record.session as SavedSession['id'];
  const options = withMountsOfBefore(app, wanted, record);
  const given = agentEnvironment(app, options, meant.resolved, record.workspace);
  const at = { ...meant.at, target: record.target };
  const agent = agentOf(
    app,
    options,
    { ...meant, at },
    { session, resumed: saved !== undefined, isNew: false, given },
  );
  const [incus, coid] = await Promise.all([app.incus(), reserveOrStart(app)]);
  app.io.detail(`Setting up session ${session}...`);
  for (const line of whoseFiles({ ...record.mounts, mounts: [] })) setupFact(app, line);
  const { makeStore } = agent;
  const fillStore = () => {
    agent.fillStore();
    agent.recordSession({ container: container.name as ContainerName, slot: record.slot as Slot });
  };
  const extra = extraMounts(app, options, meant.resolved, {
    workspace: record.workspace,
    taken: [...takenBy(at), ...agent.targets],
  });
  const mounts = withGit(at, extra);
  const wish = await refreshWish(app, meant, agent.tool.name, record.workspace as WorkspacePath);
  const startId = randomUUID();
  const ports = await keptPorts(app, container.instance);
  const context: RestartContext = {
    ...{ container, incus, coid, makeStore, fillStore, mounts, wish, startId, ports },
    ...{ parts: [], changes: undefined },
  };
  await steps(app, restartSteps, context, tell);
  for (const line of heldWhole(context.made)) app.io.warn(line);
  return {
    container: container.name as ContainerName,
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
    environment: { ...given, ...portVariables(ports.left), ...agent.environment },
  };
}

async function refreshWish(
  app: App,
  { resolved, persistent }: Meant,
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

function steps<Context>(
  app: App,
  list: readonly Step<Context>[],
  context: Context,
  tell: Tell,
): Promise<void> {
  return runSteps(withFault(list, askedFault(app.env)), context, {
    tell,
    elapsedMs: app.clock.elapsedMs,
    signal: app.signal,
  });
}
