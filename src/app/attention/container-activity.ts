// What a session does, from Incus's answer and files on the host. It asks neither coid nor the container.
import type { Activity } from '../../attention/activity.ts';
import { activityOf, type LiveAgent } from '../../attention/reduce.ts';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import { DirectoryWatch } from '../../host/fs/meta/directory-watch.ts';
import { homeOf, withoutLinks } from '../../host/linux/accounts.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import { alertNow, parseAlert } from '../../monitor/alert.ts';
import { type Container, noTool } from '../../session/record/instance-record.ts';
import { stateDirectories } from '../../session/record/store-home.ts';
import { allTools } from '../../tools/list.ts';
import { statusDirectoryIn } from '../../tools/status-directory.ts';
import type { AgentRegistry, Tool } from '../../tools/tool.ts';
import type { AppContext } from '../context.ts';
import { readAgents, statusDirectories } from './read-agents.ts';

export interface ActivityReading {
  readonly activity: Activity;
  /** Agents that are alive and say what they do. */
  readonly agents: readonly LiveAgent[];
  /** Their processes on the host. */
  readonly hostPids: readonly number[];
}

/** An agent needs a few seconds until it registers itself, on a busy host more. */
const youngMs = 30_000;
const nothing = {
  agents: [],
  hostPids: [],
  isAgentRunning: false,
  hasStarted: false,
  exitStatus: undefined,
};

/** What is read of a container. */
export interface ObservedContainer extends Pick<Container, 'name' | 'status' | 'session'> {
  readonly instance: Pick<Instance, 'config' | 'last_used_at'>;
}

const builtInTools = allTools({ tools: {} });

/** What coi must know of an agent to see what it does. */
export type KnownTool = Pick<Tool, 'sessionsDir' | 'registry' | 'statusDir' | 'turns' | 'keys'>;

export function readActivity(app: AppContext, container: ObservedContainer): ActivityReading {
  const { instance, status, session } = container;
  const tool = toolOf(container);
  const facts = {
    instance: status,
    pausedBecause: pauseReason(container),
    canTell: tool?.registry !== undefined || tool?.statusDir !== undefined,
    isYoung: app.clock.now().getTime() - Date.parse(instance.last_used_at) < youngMs,
  };
  if (!session || !tool || !facts.canTell || status !== 'Running')
    return { activity: activityOf({ ...facts, ...nothing }), agents: [], hostPids: [] };
  using store = openStore(app, container, tool);
  const reading = readAgents(container.name, tool, store);
  const { agents, hostPids } = reading;
  return {
    activity: activityOf({ ...facts, ...reading }),
    agents: agents === 'unreadable' ? [] : agents,
    hostPids,
  };
}

/** Undefined for containers without an agent, such as those of `coi run`. */
export function containerActivity(
  app: AppContext,
  container: ObservedContainer,
): Activity | undefined {
  const { session } = container;
  return session && session.tool !== noTool ? readActivity(app, container).activity : undefined;
}

/** Calls `onChange` when the agents of a session write what they do, or a transcript. */
export function watchStore(
  app: AppContext,
  container: ObservedContainer,
  onChange: () => void,
  { transcripts }: { readonly transcripts: boolean } = { transcripts: true },
): DirectoryWatch | undefined {
  return inStore<DirectoryWatch | undefined>(app, container, undefined, (store, tool) => {
    using open = new DisposableStack();
    const directories = statusDirectories(store, tool, transcripts);
    for (const directory of directories) open.use(directory);
    return new DirectoryWatch(directories, onChange);
  });
}

/** For tools with a registry; `otherwise` if the store is missing or cannot be read. */
export function withStore<T>(
  app: AppContext,
  container: ObservedContainer,
  otherwise: T,
  read: (store: Directory, registry: AgentRegistry) => T,
): T {
  return inStore(app, container, otherwise, (store, { registry }) =>
    registry ? read(store, registry) : otherwise,
  );
}

/** `otherwise` if the session has no agent, or its store is missing or cannot be read. */
export function inStore<T>(
  app: AppContext,
  container: ObservedContainer,
  otherwise: T,
  read: (store: Directory, tool: KnownTool) => T,
): T {
  const tool = toolOf(container);
  if (!tool) return otherwise;
  using store = openStore(app, container, tool);
  if (!store) return otherwise;
  try {
    return read(store, tool);
  } catch (error) {
    if (hostFiles.asFileError(error)) return otherwise;
    throw error;
  }
}

/** Undefined if it is missing or cannot be read. The stores of other users are opened without following links. */
function openStore(
  app: AppContext,
  { session }: ObservedContainer,
  tool: KnownTool,
): Directory | undefined {
  if (!session) return undefined;
  const relative = `.coi/${tool.sessionsDir}/${session.session}`;
  try {
    const own = hostFiles.open(`${app.user.home}/${relative}`);
    if (own || app.user.uid !== 0 || session.owner === 0) return own;
    const home = homeOf(session.owner);
    using directory = home === undefined ? undefined : hostFiles.open(withoutLinks(home));
    return directory?.openDirectory(relative);
  } catch (error) {
    if (hostFiles.asFileError(error)) return undefined;
    throw error;
  }
}

/** Undefined for containers without an agent. Of a custom agent, only what its mounts tell is known. */
export function toolOf({ session }: ObservedContainer): KnownTool | undefined {
  if (!session || session.tool === noTool) return undefined;
  const { tool: name } = session;
  const stateDirs = stateDirectories(session);
  const builtIn = builtInTools.find((tool) => tool.name === name);
  // A custom agent may have the name of a built-in one.
  if (builtIn?.stateDirs.every((dir) => stateDirs.includes(dir))) return builtIn;
  const [first] = stateDirs;
  return {
    sessionsDir: `sessions-${name}`,
    ...(first !== undefined && { statusDir: statusDirectoryIn(first) }),
  };
}

function pauseReason({ instance, status }: ObservedContainer): string | undefined {
  const alert = alertNow(parseAlert(instance.config[keys.alert]), status);
  return alert?.action === 'paused' ? alert.title : undefined;
}
