// Reads the session stores. Tolerant, because a crash, an old version or a full disk may have left anything.
import type { Directory, HostFiles } from '../../host/fs/host-files.ts';
import { isUuid, parseSessionId, type SessionId } from '../../names.ts';
import type { Tool } from '../../tools/tool.ts';
import { isSameWorkspace, type WorkspaceNames } from '../plan/workspace.ts';
import { parseMetadata, type SessionMetadata } from '../record/metadata.ts';

const metadataMaxBytes = 64 * 1024;
const sessionsMax = 100_000;
const stateEntriesMax = 2000;
const storePrefix = 'sessions-';
/** Temporary file of an interrupted write (host/fs/directory.ts). */
const temporaryFile = /^\.coi-[0-9a-f]{16}$/;

/** One directory of a store. */
export type StoredEntry =
  | { readonly kind: 'saved'; readonly dir: string; readonly metadata: SessionMetadata }
  /** It may contain a conversation, but its metadata.json is unusable. */
  | {
      readonly kind: 'broken';
      readonly dir: string;
      readonly id: SessionId;
      readonly tool: string;
      readonly problem: string;
    }
  /** An interrupted start without a conversation. */
  | {
      readonly kind: 'debris';
      readonly dir: string;
      readonly id: SessionId;
      readonly tool: string;
      readonly modifiedMs: number;
    };

export interface StoredQuery {
  /** Home of the user. */
  readonly home: string;
  /** Only sessions of that tool. */
  readonly tool?: string | undefined;
  /** Finds a tool, to know which files coi itself writes into a store; without it nothing counts as debris. */
  readonly known?: (tool: string) => Tool | undefined;
}

/** All stored sessions, newest first; those without a timestamp last. */
export function storedSessions(query: StoredQuery, files: HostFiles): StoredEntry[] {
  const found: StoredEntry[] = [];
  for (const tool of query.tool === undefined ? storeTools(query.home, files) : [query.tool]) {
    using store = openStore(query.home, tool, files);
    for (const { name } of store?.entries() ?? []) {
      const id = sessionId(name);
      if (!id || !store || found.length >= sessionsMax) continue;
      const entry = storedEntry(store, id, tool, query, files);
      // Ids are UUIDs. Scripts have created sessions with other ids; other directories are ignored.
      if (entry.kind === 'saved' || isUuid(id)) found.push(entry);
    }
  }
  return found.sort((a, b) => savedMs(b) - savedMs(a));
}

/** The session with that id, in any store. */
export function storedSession(
  id: SessionId,
  query: StoredQuery,
  files: HostFiles,
): StoredEntry | undefined {
  for (const tool of query.tool === undefined ? storeTools(query.home, files) : [query.tool]) {
    using store = openStore(query.home, tool, files);
    if (store?.entry(id)) return storedEntry(store, id, tool, query, files);
  }
  return undefined;
}

/** A workspace with the hashes of all its names. */
export interface StoredWorkspace extends WorkspaceNames {
  readonly hashes: readonly string[];
}

/** Whether a session belongs to that workspace: by its path or, as in the predecessor, by the hash in its container's name. */
export function belongsToWorkspace(metadata: SessionMetadata, workspace: StoredWorkspace): boolean {
  const hash = /-([0-9a-f]{8})-\d{1,2}$/.exec(metadata.container)?.[1];
  return (
    isSameWorkspace(metadata, workspace) || (hash !== undefined && workspace.hashes.includes(hash))
  );
}

/** The newest saved session that matches. */
export function newestSession(
  entries: readonly StoredEntry[],
  matches: (metadata: SessionMetadata) => boolean,
): SessionMetadata | undefined {
  let newest: SessionMetadata | undefined;
  for (const entry of entries) {
    if (entry.kind !== 'saved' || !matches(entry.metadata)) continue;
    if (!newest || timeMs(entry.metadata) > timeMs(newest)) newest = entry.metadata;
  }
  return newest;
}

/** Names of tools with a store. */
function storeTools(home: string, files: HostFiles): string[] {
  using top = files.open(`${home}/.coi`);
  const names = [...(top?.entries() ?? [])].map(({ name }) => name);
  return names
    .filter((name) => name.startsWith(storePrefix))
    .map((name) => name.slice(storePrefix.length))
    .sort();
}

function openStore(home: string, tool: string, files: HostFiles): Directory | undefined {
  try {
    return files.open(`${home}/.coi/${storePrefix}${tool}`);
  } catch (error) {
    if (files.asFileError(error)) return undefined;
    throw error;
  }
}

function storedEntry(
  store: Directory,
  id: SessionId,
  tool: string,
  query: StoredQuery,
  files: HostFiles,
): StoredEntry {
  const dir = store.displayPath(id);
  try {
    using session = store.openDirectory(id);
    const content = session?.read('metadata.json', { maxBytes: metadataMaxBytes });
    const metadata = content && parseMetadata(content.text, id, tool);
    if (metadata) return { kind: 'saved', dir, metadata };
    if (!session || content)
      return { kind: 'broken', dir, id, tool, problem: 'its metadata.json is unusable' };
    const modifiedMs = session.stat().mtimeMs;
    const known = query.known?.(tool);
    if (known && !hasState(session, known)) return { kind: 'debris', dir, id, tool, modifiedMs };
    return { kind: 'broken', dir, id, tool, problem: 'it has no metadata.json' };
  } catch (error) {
    const problem = files.asFileError(error);
    if (!problem) throw error;
    return { kind: 'broken', dir, id, tool, problem: problem.message };
  }
}

/** Whether there is any file that coi did not write. */
function hasState(session: Directory, tool: Tool): boolean {
  const launch = {
    sessionId: '',
    conversation: { kind: 'new' },
    permissionMode: 'bypass',
    home: '/',
    workspace: '/',
  } as const;
  const own = new Set([
    ...tool.seeds.map(({ to }) => to),
    ...tool.settings(launch).map(({ path }) => path),
    ...(tool.ownFiles ?? []).map(({ path }) => path),
    tool.contextFile,
    tool.login?.path,
  ]);
  return tool.stateDirs.some((part) => {
    using directory = session.openDirectory(part);
    return (
      directory !== undefined && containsOther(directory, part, own, { left: stateEntriesMax })
    );
  });
}

function containsOther(
  directory: Directory,
  path: string,
  own: ReadonlySet<string | undefined>,
  budget: { left: number },
): boolean {
  for (const { name, kind } of directory.entries()) {
    budget.left -= 1;
    if (budget.left < 0) return true;
    if (kind !== 'directory') {
      if (own.has(`${path}/${name}`) || temporaryFile.test(name)) continue;
      return true;
    }
    using inner = directory.openDirectory(name);
    if (inner && containsOther(inner, `${path}/${name}`, own, budget)) return true;
  }
  return false;
}

function sessionId(name: string): SessionId | undefined {
  try {
    return parseSessionId(name);
  } catch {
    return undefined;
  }
}

function savedMs(entry: StoredEntry): number {
  return entry.kind === 'saved' ? timeMs(entry.metadata) : 0;
}

function timeMs(metadata: SessionMetadata): number {
  return metadata.savedAt?.getTime() ?? 0;
}
