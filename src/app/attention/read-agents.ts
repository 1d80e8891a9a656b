// Reads what the agents of a session say about themselves: their registry and transcripts, in the session store on the host.
import { parseRegistryEntry, type RegistryEntry } from '../../attention/claude-registry.ts';
import {
  type PendingCall,
  readTranscript,
  type TranscriptTail,
} from '../../attention/claude-transcript.ts';
import type { LiveAgent } from '../../attention/reduce.ts';
import { type Directory, hostFiles } from '../../host/fs/host-files.ts';
import { containerProcesses } from '../../host/proc/container-processes.ts';
import type { AgentRegistry } from '../../tools/tool.ts';

export interface AgentsReading {
  readonly agents: readonly LiveAgent[] | 'unreadable';
  /** A process with the agent's name runs in the container, registered or not. */
  readonly isAgentRunning: boolean;
  /** An agent has registered since the session was started. */
  readonly hasStarted: boolean;
}

/** A container can leave any number of files; the real ones are few. */
const namesMax = 1000;
const entriesMax = 4;
const projectsMax = 16;
const subAgentsMax = 4;
const entryMaxBytes = 16 * 1024;
const attemptsMax = 4;
const rewriteMs = 5;
const tailBytes = 256 * 1024;
const endBytes = 16 * 1024;

/** The agents whose processes are alive. Files of dead processes are ignored. */
export function readAgents(
  container: string,
  registry: AgentRegistry,
  store: Directory | undefined,
): AgentsReading {
  const running = containerProcesses(container, registry.process);
  const isAgentRunning = running.length > 0;
  if (!store)
    return { agents: isAgentRunning ? 'unreadable' : [], isAgentRunning, hasStarted: false };
  try {
    const hasStarted = store.entry(registry.dir) !== undefined;
    const agents = liveEntries(store, registry.dir, running).map((entry) => ({
      entry,
      transcript: transcriptOf(store, registry, entry),
      ofSubAgents: entry.status === 'waiting' ? subAgentCalls(store, registry, entry) : [],
    }));
    return { agents, isAgentRunning, hasStarted };
  } catch (error) {
    if (hostFiles.asFileError(error))
      return { agents: 'unreadable', isAgentRunning, hasStarted: true };
    throw error;
  }
}

/** Directories with transcripts of conversations. Throws FileError. */
export function transcriptDirectories(store: Directory, registry: AgentRegistry): Directory[] {
  return projectPaths(store, registry).flatMap((path) => store.openDirectory(path) ?? []);
}

function liveEntries(
  store: Directory,
  registryDirectory: string,
  alive: readonly number[],
): RegistryEntry[] {
  using registry = store.openDirectory(registryDirectory);
  if (!registry) return [];
  return alive.slice(0, entriesMax).flatMap((pid) => {
    const entry = readEntry(registry, `${pid}.json`);
    return entry?.pid === pid ? [entry] : [];
  });
}

/** Read again for a moment if it is incomplete: the agent rewrites it in place. */
function readEntry(registry: Directory, name: string): RegistryEntry | undefined {
  for (let attempt = 1; ; attempt += 1) {
    const text = registry.readHead(name, { maxBytes: entryMaxBytes })?.toString('utf8');
    if (text === undefined) return undefined;
    const entry = parseRegistryEntry(text);
    if (entry || attempt === attemptsMax) return entry;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, rewriteMs);
  }
}

/** Undefined for an agent that works: then it does not matter. */
function transcriptOf(
  store: Directory,
  registry: AgentRegistry,
  entry: RegistryEntry,
): TranscriptTail | undefined {
  if (entry.status === 'busy') return undefined;
  const path = transcriptPath(store, registry, entry);
  if (path === undefined) return undefined;
  // The end of a turn is usually near the end of the file; a call may be long, and what follows it too.
  if (entry.status === 'idle') {
    const end = tailOf(store, path, endBytes);
    if (end.end !== 'fresh') return end;
  }
  return tailOf(store, path, tailBytes);
}

function tailOf(store: Directory, path: string, maxBytes: number): TranscriptTail {
  return readTranscript(store.readTail(path, { maxBytes })?.toString('utf8') ?? '');
}

/** Relative to the store; undefined if the conversation has no messages yet. Throws FileError. */
export function transcriptPath(
  store: Directory,
  registry: AgentRegistry,
  { cwd, conversation }: Pick<RegistryEntry, 'cwd' | 'conversation'>,
): string | undefined {
  const path = registry.transcript(cwd, conversation);
  if (store.entry(path)) return path;
  // The agent names the directory after the one in which the conversation began.
  return projectPaths(store, registry)
    .map((project) => `${project}/${conversation}.jsonl`)
    .find((other) => store.entry(other));
}

function projectPaths(store: Directory, { projects }: AgentRegistry): readonly string[] {
  using directory = store.openDirectory(projects);
  return [...take(directory?.entries() ?? [], projectsMax)]
    .filter(({ kind }) => kind === 'directory')
    .map(({ name }) => `${projects}/${name}`);
}

/** Calls without a result of the sub-agents that wrote last. */
function subAgentCalls(
  store: Directory,
  registry: AgentRegistry,
  { cwd, conversation }: RegistryEntry,
): readonly PendingCall[] {
  using directory = store.openDirectory(registry.subAgents(cwd, conversation));
  if (!directory) return [];
  return [...take(directory.entries(), namesMax)]
    .filter(({ name, kind }) => kind === 'file' && name.endsWith('.jsonl'))
    .map(({ name }) => ({ name, writtenMs: directory.entry(name)?.stat.mtimeMs ?? 0 }))
    .sort((one, other) => other.writtenMs - one.writtenMs)
    .slice(0, subAgentsMax)
    .flatMap(({ name }) => tailOf(directory, name, tailBytes).pending);
}

function* take<T>(values: Iterable<T>, count: number): Generator<T, void> {
  let taken = 0;
  for (const value of values) {
    if (taken === count) return;
    taken += 1;
    yield value;
  }
}
