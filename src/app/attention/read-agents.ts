// Reads what the agents of a session say about themselves: their registry and transcripts, in the session store on the host.
import { parseRegistryEntry, type RegistryEntry } from '../../attention/claude-registry.ts';
import { readTranscript, type TranscriptTail } from '../../attention/claude-transcript.ts';
import type { LiveAgent } from '../../attention/reduce.ts';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import { containerProcesses } from '../../host/proc/container-processes.ts';
import type { AgentRegistry } from '../../tools/tool.ts';

export interface AgentsReading {
  readonly agents: readonly LiveAgent[] | 'unreadable';
  /** A process with the agent's name runs in the container, registered or not. */
  readonly isAgentRunning: boolean;
}

const entryName = /^(\d{1,7})\.json$/;
/** A container can leave any number of files; the real ones are few. */
const namesMax = 10_000;
const entriesMax = 16;
const projectsMax = 16;
const entryMaxBytes = 16 * 1024;
const tailBytes = 256 * 1024;

/** The agents whose processes are alive. Files of dead processes are ignored. */
export function readAgents(
  container: string,
  registry: AgentRegistry,
  store: Directory | undefined,
): AgentsReading {
  const running = containerProcesses(container, registry.process);
  const isAgentRunning = running.length > 0;
  if (!isAgentRunning) return { agents: [], isAgentRunning };
  if (!store) return { agents: 'unreadable', isAgentRunning };
  try {
    const agents = liveEntries(store, registry.dir, new Set(running)).map((entry) => ({
      entry,
      transcript: transcriptOf(store, registry, entry),
    }));
    return { agents, isAgentRunning };
  } catch (error) {
    if (hostFiles.asFileError(error)) return { agents: 'unreadable', isAgentRunning };
    throw error;
  }
}

/** Directories with transcripts of conversations. Throws FileError. */
export function transcriptDirectories(store: Directory, registry: AgentRegistry): Directory[] {
  using projects = store.openDirectory(registry.projects);
  const found: Directory[] = [];
  for (const { name, kind } of projects?.entries() ?? []) {
    if (found.length === projectsMax) break;
    const directory = kind === 'directory' ? projects?.openDirectory(name) : undefined;
    if (directory) found.push(directory);
  }
  return found;
}

function liveEntries(
  store: Directory,
  registryDirectory: string,
  alive: ReadonlySet<number>,
): RegistryEntry[] {
  using registry = store.openDirectory(registryDirectory);
  const found: RegistryEntry[] = [];
  let seen = 0;
  for (const { name, kind } of registry?.entries() ?? []) {
    seen += 1;
    if (seen > namesMax || found.length >= entriesMax) break;
    const pid = Number(entryName.exec(name)?.[1]);
    if (kind !== 'file' || !alive.has(pid)) continue;
    const entry = readEntry(registry, name);
    if (entry?.pid === pid) found.push(entry);
  }
  return found;
}

/** Read again once if it is incomplete: the agent rewrites it in place. */
function readEntry(registry: Directory | undefined, name: string): RegistryEntry | undefined {
  const read = () =>
    parseRegistryEntry(
      registry?.readHead(name, { maxBytes: entryMaxBytes })?.toString('utf8') ?? '',
    );
  return read() ?? read();
}

function transcriptOf(
  store: Directory,
  registry: AgentRegistry,
  { cwd, conversation }: RegistryEntry,
): TranscriptTail | undefined {
  const path = registry.transcript(cwd, conversation);
  const tail = store.readTail(path, { maxBytes: tailBytes });
  return tail && readTranscript(tail.toString('utf8'));
}
