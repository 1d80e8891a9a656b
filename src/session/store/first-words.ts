// The first words of a saved conversation. A hostile agent may have written the store: no link is followed, only the start
// of regular files is read, and only plain text is returned.
import type { HostFiles } from '../../host/fs/host-files.ts';
import type { SessionId } from '../../names.ts';
import type { Tool } from '../../tools/tool.ts';
import { conversationFiles, openIfDirectory } from './conversations.ts';
import { storePath } from './store.ts';

const headBytes = 32 * 1024;
const entriesOfSession = 500;
/** More than one, because the newest may belong to a subagent, without words of the user. */
const filesOfSession = 3;
const wordsMax = 100;

/** Limit for all sessions of a list together; the last ones may get no first words. */
export interface WordsBudget {
  bytes: number;
  entries: number;
}

export function wordsBudget(): WordsBudget {
  return { bytes: 4 * 2 ** 20, entries: 20_000 };
}

/** Undefined if there are none or they cannot be read. */
export function firstWords(
  session: { readonly home: string; readonly id: SessionId; readonly tool: Tool },
  budget: WordsBudget,
  files: HostFiles,
): string | undefined {
  const { firstWords: known, sessionsDir } = session.tool;
  if (!known || budget.entries <= 0 || budget.bytes <= 0) return undefined;
  try {
    using store = files.open(storePath(session.home, sessionsDir, session.id));
    using top = store && openIfDirectory(store, known.files.dir, files);
    if (!store || !top) return undefined;
    const left = { left: Math.min(entriesOfSession, budget.entries) };
    const before = left.left;
    const found = [...conversationFiles(top, known.files.dir, known.files, left)];
    budget.entries -= before - Math.max(left.left, 0);
    const newest = found.sort((a, b) => b.modifiedMs - a.modifiedMs).slice(0, filesOfSession);
    for (const { path } of newest) {
      if (budget.bytes <= 0) return undefined;
      const head = store.readHead(path, { maxBytes: Math.min(headBytes, budget.bytes) });
      budget.bytes -= head?.length ?? 0;
      const words = head && plainWords(known.words(head.toString('utf8')) ?? '');
      if (words) return words;
    }
    return undefined;
  } catch (error) {
    if (files.asFileError(error)) return undefined;
    throw error;
  }
}

/** Letters, marks, digits, punctuation and symbols on one line; other characters (control, invisible, bidirectional) become spaces. */
export function plainWords(text: string): string {
  const plain = text
    .slice(0, 10 * wordsMax)
    .replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S}]+/gu, ' ')
    // Stacked marks could cover the lines above.
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .trim();
  const characters = [...plain];
  return characters.length > wordsMax ? `${characters.slice(0, wordsMax - 1).join('')}…` : plain;
}
