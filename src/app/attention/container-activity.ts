// What a session does, from Incus's answer and files on the host. It asks neither coid nor the container.
import type { Activity } from '../../attention/activity.ts';
import { activityOf, type LiveAgent } from '../../attention/reduce.ts';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import { DirectoryWatch } from '../../host/fs/meta/directory-watch.ts';
import { homeOf, withoutLinks } from '../../host/linux/accounts.ts';
import { keys } from '../../instance-keys.ts';
import { alertNow, parseAlert } from '../../monitor/alert.ts';
import { type Container, noTool } from '../../session/record/instance-record.ts';
import { allTools } from '../../tools/list.ts';
import type { AgentRegistry, Tool } from '../../tools/tool.ts';
import type { AppContext } from '../context.ts';
import { readAgents, transcriptDirectories } from './read-agents.ts';

export interface ActivityReading {
  readonly activity: Activity;
  /** Registered agents that are alive. */
  readonly agents: readonly LiveAgent[];
}

/** An agent needs a few seconds until it registers itself, on a busy host more. */
const youngMs = 30_000;
const nothing = { agents: [], isAgentRunning: false, hasStarted: false };
/** Built-in agents only: coi does not know what custom ones write. */
const known = allTools({ tools: {} });

export function readActivity(app: AppContext, container: Container): ActivityReading {
  const { instance, status, session } = container;
  const tool = toolOf(container);
  const facts = {
    instance: status,
    pausedBecause: pauseReason(container),
    hasRegistry: tool?.registry !== undefined,
    isYoung: app.clock.now().getTime() - Date.parse(instance.last_used_at) < youngMs,
  };
  if (!session || !tool?.registry || status !== 'Running')
    return { activity: activityOf({ ...facts, ...nothing }), agents: [] };
  using store = openStore(app, container, tool);
  const reading = readAgents(container.name, tool.registry, store);
  const { agents } = reading;
  return {
    activity: activityOf({ ...facts, ...reading }),
    agents: agents === 'unreadable' ? [] : agents,
  };
}

/** Undefined for containers without an agent, such as those of `coi run`. */
export function containerActivity(app: AppContext, container: Container): Activity | undefined {
  const { session } = container;
  return session && session.tool !== noTool ? readActivity(app, container).activity : undefined;
}

/** Calls `onChange` when the agents of a session write their registry or a transcript. */
export function watchStore(
  app: AppContext,
  container: Container,
  onChange: () => void,
): Disposable | undefined {
  return withStore<Disposable | undefined>(app, container, undefined, (store, registry) => {
    using open = new DisposableStack();
    const first = store.openDirectory(registry.dir);
    const directories = [...(first ? [first] : []), ...transcriptDirectories(store, registry)];
    for (const directory of directories) open.use(directory);
    return new DirectoryWatch(directories, onChange);
  });
}

/** `otherwise` if the store is missing or cannot be read. */
export function withStore<T>(
  app: AppContext,
  container: Container,
  otherwise: T,
  read: (store: Directory, registry: AgentRegistry) => T,
): T {
  const tool = toolOf(container);
  if (!tool?.registry) return otherwise;
  using store = openStore(app, container, tool);
  if (!store) return otherwise;
  try {
    return read(store, tool.registry);
  } catch (error) {
    if (hostFiles.asFileError(error)) return otherwise;
    throw error;
  }
}

/** Undefined if it is missing or cannot be read. The stores of other users are opened without following links. */
function openStore(app: AppContext, { session }: Container, tool: Tool): Directory | undefined {
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

/** Undefined for custom agents, about which coi knows nothing. */
export function toolOf({ session }: Container): Tool | undefined {
  return known.find(({ name }) => name === session?.tool);
}

function pauseReason({ instance, status }: Container): string | undefined {
  const alert = alertNow(parseAlert(instance.config[keys.alert]), status);
  return alert?.action === 'paused' ? alert.title : undefined;
}
