// Finds the conversation that a resumed session continues, among the tool's files in the store.
import type { Directory, HostFiles } from '../../host/fs/host-files.ts';
import type { SessionId } from '../../names.ts';
import type { StoredFile, Tool } from '../../tools/tool.ts';
import { storePath, withStoreErrors } from './store.ts';

/** Limit, because a container can leave any number of files. */
const entriesMax = 50_000;

export interface StoredSession {
  readonly home: string;
  readonly tool: Tool;
  readonly id: SessionId;
  /** The workspace's path in the container. */
  readonly workspace: string;
  /** Limit for inspected entries. */
  readonly entriesMax?: number;
}

/**
 * The newest conversation for the workspace; undefined if there is none, or if the tool picks it. Anything else in place of
 * a directory, such as a link that a container left, is not entered. Throws `store-unusable`.
 */
export function findConversation(session: StoredSession, files: HostFiles): string | undefined {
  const { conversations, newestConversation } = session.tool;
  if (!conversations || !newestConversation) return undefined;
  return withStoreErrors(files, () => {
    using store = files.open(storePath(session.home, session.tool.sessionsDir, session.id));
    using top = store && openIfDirectory(store, conversations.dir, files);
    if (!top) return undefined;
    const found = [
      ...conversationFiles(top, conversations.dir, conversations, {
        left: session.entriesMax ?? entriesMax,
      }),
    ];
    return newestConversation(found, session.workspace);
  });
}

/** A directory of a store; undefined if it is missing or not a directory. */
export function openIfDirectory(
  store: Directory,
  dir: string,
  files: HostFiles,
): Directory | undefined {
  try {
    return store.openDirectory(dir);
  } catch (error) {
    if (files.asFileError(error)?.reason === 'file') return undefined;
    throw error;
  }
}

/** The conversation files below a directory, unordered; `path` is the path of the directory. */
export function* conversationFiles(
  directory: Directory,
  path: string,
  wanted: { readonly depth: number; readonly suffix: string },
  budget: { left: number },
): Generator<StoredFile> {
  for (const entry of directory.entries()) {
    budget.left -= 1;
    if (budget.left < 0) return;
    const here = `${path}/${entry.name}`;
    if (entry.kind === 'directory' && wanted.depth > 0) {
      using inner = directory.openDirectory(entry.name);
      if (inner)
        yield* conversationFiles(inner, here, { ...wanted, depth: wanted.depth - 1 }, budget);
    } else if (entry.kind === 'file' && entry.name.endsWith(wanted.suffix)) {
      const found = directory.entry(entry.name);
      if (found?.kind === 'file') yield { path: here, modifiedMs: found.stat.mtimeMs };
    }
  }
}
