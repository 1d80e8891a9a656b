// Reads what the agents of a session say about themselves: their registry and transcripts, in the session store on the host.
import { parseRegistryEntry, type RegistryEntry } from '../../attention/claude-registry.ts';
import { readTranscript, type TranscriptTail } from '../../attention/claude-transcript.ts';
import type { LiveAgent } from '../../attention/reduce.ts';
import type { Directory, HostFiles } from '../../host/fs/host-files.ts';
import { containerProcesses } from '../../host/proc/container-processes.ts';
import type { SessionId } from '../../names.ts';
import { storePath } from '../../session/store/store.ts';
import type { Tool } from '../../tools/tool.ts';

export interface AgentStore {
  /** Home of the session's owner. */
  readonly home: string;
  readonly tool: Tool;
  readonly session: SessionId;
  readonly container: string;
}

export interface AgentsReading {
  readonly agents: readonly LiveAgent[] | 'unreadable';
  /** A process with the agent's name runs in the container, registered or not. */
  readonly isAgentRunning: boolean;
}

const entryName = /^\d{1,7}\.json$/;
/** A container can leave any number of files; the real ones are few. */
const namesMax = 10_000;
const entriesMax = 16;
const entryMaxBytes = 16 * 1024;
const tailBytes = 256 * 1024;

/** The agents whose processes are alive. Files of dead processes are ignored. */
export function readAgents(store: AgentStore, files: HostFiles): AgentsReading {
  const { tool, container } = store;
  const names = new Set(tool.registry ? [tool.registry.process] : []);
  const running =
    containerProcesses(container, ({ comm }) => names.has(comm)) ?? [];
  const alive = new Map(running.map(({ innerPid, startTicks }) => [innerPid, String(startTicks)]));
  const isAgentRunning = alive.size > 0;
  if (!tool.registry || !isAgentRunning) return { agents: [], isAgentRunning };
  try {
    using top = files.open(storePath(store.home, tool.sessionsDir, store.session));
    if (!top) return { agents: 'unreadable', isAgentRunning };
    const entries = liveEntries(top, tool.registry.dir, alive);
    return {
      isAgentRunning,
      agents: entries.map((entry) => ({ entry, transcript: transcriptOf(top, tool, entry) })),
    };
  } catch (error) {
    if (files.asFileError(error)) return { agents: 'unreadable', isAgentRunning };
    throw error;
  }
}

function liveEntries(
  top: Directory,
  dir: string,
  alive: ReadonlyMap<number, string>,
): RegistryEntry[] {
  using registry = top.openDirectory(dir);
  const found: RegistryEntry[] = [];
  let seen = 0;
  for (const { name, kind } of registry?.entries() ?? []) {
    seen += 1;
    if (seen > namesMax || found.length >= entriesMax) break;
    if (kind !== 'file' || !entryName.test(name) || !alive.has(Number.parseInt(name, 10))) continue;
    const entry = readEntry(registry, name);
    if (entry && alive.get(entry.pid) === entry.startTime) found.push(entry);
  }
  return found;
}

/** Read again once if it is incomplete: the agent rewrites it in place. */
function readEntry(registry: Directory | undefined, name: string): RegistryEntry | undefined {
  const read = () => parseRegistryEntry(registry?.readHead(name, { maxBytes: entryMaxBytes })?.toString('utf8') ?? '');
  return read() ?? read();
}

function transcriptOf(top: Directory, tool: Tool, entry: RegistryEntry): TranscriptTail | undefined {
  const path = tool.registry?.transcript(entry.cwd, entry.conversation);
  const tail = path === undefined ? undefined : top.readTail(path, { maxBytes: tailBytes });
  return tail && readTranscript(tail.toString('utf8'));
}
