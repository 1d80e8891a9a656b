// Reads what Claude Code says about itself: its registry and transcripts, in the session store on the host.
import { parseRegistryEntry, type RegistryEntry } from '../../attention/claude/registry.ts';
import {
  decisionSource,
  type PendingCall,
  readTranscript,
  type TranscriptTail,
} from '../../attention/claude/transcript.ts';
import type { LiveAgent } from '../../attention/reduce.ts';
import type { Directory } from '../../host/fs/host-files.ts';
import type { GuestProcess } from '../../host/proc/container-processes.ts';
import { take } from '../../host/take.ts';
import type { AgentRegistry } from '../../tools/tool.ts';

/** A container can leave any number of files; the real ones are few. */
const namesMax = 1000;
const entriesMax = 8;
const projectsMax = 16;
const subAgentsMax = 4;
const entryMaxBytes = 16 * 1024;
/** Of one reading. */
const attemptsMax = 6;
const candidatesMax = 64;
const rewriteMs = 5;
const tailBytes = 256 * 1024;
const endBytes = 16 * 1024;

/** An agent, and its process on the host. */
export interface FoundAgent {
  readonly agent: LiveAgent;
  readonly hostPid: number;
}

/** The registered agents whose processes are alive. Files of dead processes are ignored. Throws FileError. */
export function readClaudeAgents(
  store: Directory,
  registry: AgentRegistry,
  processes: readonly GuestProcess[],
): FoundAgent[] {
  using directory = store.openDirectory(registry.dir);
  if (!directory) return [];
  // The agent is among the first processes of a container.
  const alive = processes.filter(({ name }) => name === registry.process).slice(0, candidatesMax);
  const entries = take(registeredOf(directory, alive), entriesMax);
  return [...entries].map(({ entry, hostPid }) => ({
    hostPid,
    agent: {
      entry,
      transcript: transcriptOf(store, registry, entry),
      ofSubAgents: entry.status === 'waiting' ? subAgentCalls(store, registry, entry) : [],
    },
  }));
}

/** Directories with transcripts of conversations. Throws FileError. */
export function transcriptDirectories(store: Directory, registry: AgentRegistry): Directory[] {
  return projectPaths(store, registry).flatMap((path) => store.openDirectory(path) ?? []);
}

function* registeredOf(
  registry: Directory,
  alive: readonly GuestProcess[],
): Generator<{ readonly entry: RegistryEntry; readonly hostPid: number }, void> {
  const budget = { attempts: attemptsMax };
  for (const { pid, hostPid } of alive) {
    const entry = readEntry(registry, `${pid}.json`, budget);
    if (entry?.pid === pid) yield { entry, hostPid };
  }
}

/** Read again for a moment if it is incomplete: the agent rewrites it in place. */
function readEntry(
  registry: Directory,
  name: string,
  budget: { attempts: number },
): RegistryEntry | undefined {
  for (;;) {
    const text = registry.readHead(name, { maxBytes: entryMaxBytes })?.toString('utf8');
    if (text === undefined) return undefined;
    const entry = parseRegistryEntry(text);
    if (entry || budget.attempts === 0) return entry;
    budget.attempts -= 1;
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

/** Who has decided about a call of the main agent (decisionSource). Throws FileError. */
export function readDecision(
  store: Directory,
  registry: AgentRegistry,
  entry: RegistryEntry,
  call: PendingCall,
): ReturnType<typeof decisionSource> {
  const path = transcriptPath(store, registry, entry);
  const tail = path === undefined ? undefined : store.readTail(path, { maxBytes: tailBytes });
  return tail && decisionSource(tail.toString('utf8'), call);
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
