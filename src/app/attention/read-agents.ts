// Reads what the agents of a session say about themselves, in the session store on the host.
import type { LiveAgent } from '../../attention/reduce.ts';
import { parseStatusFile } from '../../attention/status-file.ts';
import { withTurn } from '../../attention/turns/turn.ts';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import { containerProcesses, type GuestProcess } from '../../host/proc/container-processes.ts';
import { take } from '../../host/take.ts';
import { exitFile } from '../../tools/status-directory.ts';
import type { Tool } from '../../tools/tool.ts';
import { type FoundAgent, readClaudeAgents, transcriptDirectories } from './claude-agents.ts';

/** Where an agent's processes say what they do. */
type StatusSources = Pick<Tool, 'registry' | 'statusDir' | 'turns'>;

export interface AgentsReading {
  readonly agents: readonly LiveAgent[] | 'unreadable';
  /** Their processes on the host. */
  readonly hostPids: readonly number[];
  /** A process with the agent's name runs in the container, registered or not. */
  readonly isAgentRunning: boolean;
  /** An agent has registered since the session was started. */
  readonly hasStarted: boolean;
  readonly exitStatus: number | undefined;
}

/** A container can leave any number of files; the real ones are few. */
const namesMax = 1000;
const filesMax = 8;
const fileMaxBytes = 64 * 1024;
const exitMaxBytes = 16;
const tailMaxBytes = 256 * 1024;

export function readAgents(
  container: string,
  tool: StatusSources,
  store: Directory | undefined,
): AgentsReading {
  const processes = containerProcesses(container);
  const { registry } = tool;
  const isAgentRunning = processes.some(({ name }) => name === registry?.process);
  const nothing = { hostPids: [], isAgentRunning, hasStarted: false, exitStatus: undefined };
  if (!store) return { ...nothing, agents: isAgentRunning ? 'unreadable' : [] };
  try {
    const found = [
      ...(registry ? readClaudeAgents(store, registry, processes) : []),
      ...readStatusFiles(store, tool, processes),
    ];
    return {
      agents: found.map(({ agent }) => agent),
      hostPids: found.map(({ hostPid }) => hostPid),
      isAgentRunning,
      hasStarted: registry !== undefined && store.entry(registry.dir) !== undefined,
      exitStatus: readExit(store, tool),
    };
  } catch (error) {
    if (hostFiles.asFileError(error)) return { ...nothing, agents: 'unreadable', hasStarted: true };
    throw error;
  }
}

/** The directories in which the agents of a session write what `readAgents` reads. Throws FileError. */
export function statusDirectories(
  store: Directory,
  { registry, statusDir }: StatusSources,
  withTranscripts: boolean,
): Directory[] {
  const ofStatus = statusDir === undefined ? undefined : store.openDirectory(statusDir);
  const ofRegistry = registry && store.openDirectory(registry.dir);
  return [
    ...(ofStatus ? [ofStatus] : []),
    ...(ofRegistry ? [ofRegistry] : []),
    ...(registry && withTranscripts ? transcriptDirectories(store, registry) : []),
  ];
}

/** Of processes that are alive. A process id may be in use again, mostly by another program. */
function readStatusFiles(
  store: Directory,
  { statusDir, turns }: StatusSources,
  processes: readonly GuestProcess[],
): FoundAgent[] {
  using directory = statusDir === undefined ? undefined : store.openDirectory(statusDir);
  if (!directory) return [];
  const byPid = new Map(processes.map((guest) => [guest.pid, guest]));
  const named = [...take(directory.entries(), namesMax)].flatMap(({ name }) => {
    const pid = /^(\d{1,10})\.json$/.exec(name)?.[1];
    const guest = pid === undefined ? undefined : byPid.get(Number(pid));
    return guest ? [{ name, guest }] : [];
  });
  return named.slice(0, filesMax).flatMap(({ name, guest }) => {
    const { pid, hostPid } = guest;
    const text = directory.readHead(name, { maxBytes: fileMaxBytes })?.toString('utf8');
    const file = text === undefined ? undefined : parseStatusFile(text);
    if (file?.entry.pid !== pid) return [];
    if (file.comm !== undefined && file.comm !== guest.name) return [];
    const path = turns && pathBelow(turns.dir, file.transcript);
    const tail = path === undefined ? undefined : store.readTail(path, { maxBytes: tailMaxBytes });
    const { entry, report } = turns && tail ? withTurn(file, turns.read(tail.toString())) : file;
    return [{ hostPid, agent: { entry, transcript: undefined, ofSubAgents: [], report } }];
  });
}

/** A path of the container as one of the store; undefined if it is not below that directory. */
function pathBelow(dir: string, guestPath: string): string | undefined {
  const [, rest = ''] = guestPath.split(`/${dir}/`, 2);
  const names = rest.split('/');
  return names.every((name) => /^[\w.:-]+$/.test(name) && !/^\.+$/.test(name))
    ? `${dir}/${rest}`
    : undefined;
}

/** Undefined if the session's agent has not ended. */
function readExit(store: Directory, { statusDir }: StatusSources): number | undefined {
  if (statusDir === undefined) return undefined;
  const text = store.readHead(`${statusDir}/${exitFile}`, { maxBytes: exitMaxBytes });
  const status = /^(\d{1,3})\n$/.exec(text?.toString('utf8') ?? '')?.[1];
  return status === undefined ? undefined : Number(status);
}
