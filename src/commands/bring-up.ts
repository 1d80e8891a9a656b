// From the session that is meant to a container that runs: a new one, a resumed one, or a stopped one started again.
import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import { askedFault } from '../host/fault.ts';
import { hostFiles } from '../host/files.ts';
import type { ContainerName, Slot } from '../names.ts';
import type { SavedSession, StoppedSession } from '../session/choose.ts';
import { findConversation } from '../session/conversations.ts';
import { launchSteps, reserved } from '../session/launch.ts';
import { followingConfig } from '../session/plan.ts';
import { restartSteps } from '../session/restart.ts';
import { runSteps, type Step, type StepEvent, withFault } from '../session/steps.ts';
import { tool as findTool } from '../tools/list.ts';
import type { Conversation } from '../tools/shape.ts';
import { reserveOrStart } from './coid.ts';
import type { Meant, ShellOptions } from './meant.ts';
import {
  agentEnvironment,
  extraMounts,
  following,
  newSessionId,
  serverFacts,
  wish,
} from './prepare.ts';
import { type AgentSetting, agentSetting, guestHome } from './tool.ts';

/** A container that runs, and what is to be opened in it. */
export interface Live {
  readonly container: ContainerName;
  /** Id of the reservation: tells this container from a later one of that name. */
  readonly reservation: string;
  readonly slot: number;
  readonly session: string;
  readonly target: string;
  readonly storeDir: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

type Tell = (event: StepEvent) => void;

export async function bringUp(
  app: App,
  options: ShellOptions,
  meant: Meant,
  tell: Tell,
): Promise<Live> {
  const { choice } = meant;
  switch (choice.kind) {
    case 'new':
      return launched(app, options, meant, choice.slot, undefined, tell);
    case 'resume':
      return launched(app, options, meant, choice.slot, choice.saved, tell);
    case 'restart':
      return restarted(app, options, meant, choice.container, choice.saved, tell);
    default:
      return choice satisfies never;
  }
}

async function launched(
  app: App,
  options: ShellOptions,
  meant: Meant,
  slot: Slot | undefined,
  saved: SavedSession | undefined,
  tell: Tell,
): Promise<Live> {
  const { at, resolved } = meant;
  const session = saved?.id ?? newSessionId();
  const given = agentEnvironment(app, options, resolved);
  const agent = agentOf(app, options, meant, {
    session,
    saved,
    isNew: !saved,
    variables: Object.keys(given),
  });
  const mounts = extraMounts(app, options, resolved, [at.target, ...agent.targets]);
  const wanted = wish(app, resolved, at, {
    session,
    tool: agent.tool.name,
    slot,
    persistent: meant.persistent,
    mounts,
    disposable: false,
  });
  const [server, incus, coid] = await Promise.all([
    serverFacts(app, wanted.image, wanted.storagePool),
    app.incus(),
    reserveOrStart(app),
  ]);
  app.io.tell(`Setting up session ${session}...`);
  const { prepareStore, discardStore, recordSession } = agent;
  const context = {
    wish: wanted,
    server,
    incus,
    coid,
    prepareStore,
    discardStore,
    recordSession,
    plan: undefined,
    reservation: undefined,
  };
  await steps(app, launchSteps, context, tell);
  const { container, id, slot: got } = reserved(context);
  if (slot === undefined) app.io.tell(`Auto-allocated slot ${got}`);
  else if (Number(slot) !== Number(got))
    app.io.tell(`Slot ${slot} is occupied, using slot ${got} instead`);
  return {
    container,
    reservation: id,
    slot: Number(got),
    session,
    target: at.target,
    storeDir: agent.storeDir,
    command: agent.command,
    environment: { ...agent.environment, ...given },
  };
}

async function restarted(
  app: App,
  options: ShellOptions,
  meant: Meant,
  container: StoppedSession,
  saved: SavedSession | undefined,
  tell: Tell,
): Promise<Live> {
  const { session: record } = container;
  const session = record.session as SavedSession['id'];
  const given = agentEnvironment(app, options, meant.resolved);
  const at = { ...meant.at, target: record.target };
  const agent = agentOf(
    app,
    options,
    { ...meant, at },
    { session, saved, isNew: false, variables: Object.keys(given) },
  );
  const [incus, coid] = await Promise.all([app.incus(), reserveOrStart(app)]);
  app.io.tell(`Setting up session ${session}...`);
  const refreshStore = () => {
    agent.prepareStore();
    agent.recordSession({ container: container.name as ContainerName, slot: record.slot as Slot });
  };
  const alias = meant.resolved.settings['container.alias'];
  const config = {
    ...followingConfig(following(app, meant.resolved)),
    'user.coi.persistent': String(meant.persistent),
    'user.coi.tool': agent.tool.name,
    ...(alias ? { 'user.coi.alias': alias } : {}),
  };
  await steps(app, restartSteps, { container, incus, coid, refreshStore, config }, tell);
  return {
    container: container.name as ContainerName,
    reservation: record.mounts.id,
    slot: record.slot,
    session,
    target: record.target,
    storeDir: agent.storeDir,
    command: agent.command,
    environment: { ...agent.environment, ...given },
  };
}

interface Known {
  readonly session: SavedSession['id'];
  /** Set when its conversation is to go on. */
  readonly saved: SavedSession | undefined;
  readonly isNew: boolean;
  readonly variables: readonly string[];
}

function agentOf(
  app: App,
  options: ShellOptions,
  meant: Meant,
  { session, saved, isNew, variables }: Known,
): AgentSetting {
  const { at, resolved } = meant;
  const { settings } = resolved;
  const tool = findTool(settings['tool.name'], settings, app.env);
  const conversation: Conversation = saved
    ? {
        kind: 'resume',
        id: findConversation(
          { home: app.user.home, tool, id: session, workspace: at.target },
          hostFiles,
        ),
      }
    : { kind: 'new' };
  return agentSetting(app, resolved, {
    isNew,
    session,
    // A store that has had conversations needs a new id for the next one.
    conversationId: isNew ? session : randomUUID(),
    conversation,
    at,
    debug: options.debug ?? false,
    persistent: meant.persistent,
    variables,
    mounts: extraMounts(app, options, resolved, [
      at.target,
      ...tool.stateDirs.map((dir) => `${guestHome}/${dir}`),
    ]),
  });
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
