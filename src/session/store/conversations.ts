// The tool's own conversations in a stored session: which one a resumed session goes on with.
import type { Directory, HostFiles } from '../../host/fs/host-files.ts';
import type { SessionId } from '../../names.ts';
import type { StoredFile, Tool } from '../../tools/shape.ts';
import { guarded, storePath } from './store.ts';

/** A container can have left any number of files: whoever planted more than these finds only some of them again. */
const entriesMax = 50_000;

export interface StoredSession {
  readonly home: string;
  readonly tool: Tool;
  readonly id: SessionId;
  /** The workspace's path in the container. */
  readonly workspace: string;
  /** How many entries are looked at. */
  readonly entriesMax?: number;
}

/**
 * The newest conversation for the workspace; undefined if there is none, or the tool picks it by itself. What a container
 * left in the way (a link in the place of a directory, say) is not entered. Throws `store-unusable`.
 */
export function findConversation(session: StoredSession, files: HostFiles): string | undefined {
  const { conversations, newestConversation } = session.tool;
  if (!conversations || !newestConversation) return undefined;
  return guarded(files, () => {
    using store = files.open(storePath(session.home, session.tool.sessionsDir, session.id));
    using top = store && entered(store, conversations.dir, files);
    if (!top) return undefined;
    const found = [
      ...conversationFiles(top, conversations.dir, conversations, {
        left: session.entriesMax ?? entriesMax,
      }),
    ];
    return newestConversation(found, session.workspace);
  });
}

/** A directory of a store; undefined also where something else is in its place. */
export function entered(store: Directory, dir: string, files: HostFiles): Directory | undefined {
  try {
    return store.directory(dir);
  } catch (error) {
    if (files.problem(error)?.reason === 'file') return undefined;
    throw error;
  }
}

/** The files of that kind below a directory, in no order; `path` is its own. */
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
      using inner = directory.directory(entry.name);
      if (inner)
        yield* conversationFiles(inner, here, { ...wanted, depth: wanted.depth - 1 }, budget);
    } else if (entry.kind === 'file' && entry.name.endsWith(wanted.suffix)) {
      const found = directory.entry(entry.name);
      if (found?.kind === 'file') yield { path: here, modifiedMs: found.stat.mtimeMs };
    }
  }
}
