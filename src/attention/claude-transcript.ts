// Reads the end of a Claude Code transcript (~/.claude/projects/<project>/<session>.jsonl, one JSON object per line): which
// tool calls have no result yet, and how the last turn ended. Claude Code writes a line when a message is complete. Pure.
import type { IdleReason } from './activity.ts';

/** A tool call without a result: it runs, or the agent asks for permission. */
export interface PendingCall {
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface TranscriptTail {
  /** Oldest first. */
  readonly pending: readonly PendingCall[];
  /** How the last turn ended, if the agent is idle. */
  readonly end: IdleReason;
  /** The agent's last words. */
  readonly words: string | undefined;
}

interface Line {
  readonly type?: unknown;
  readonly isMeta?: unknown;
  readonly isApiErrorMessage?: unknown;
  readonly message?: { readonly role?: unknown; readonly content?: unknown };
}

interface Block {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly input?: unknown;
  readonly tool_use_id?: unknown;
  readonly text?: unknown;
}

/** A container can write any number of them. */
const pendingMax = 20;
const interrupted = /^\[Request interrupted by user/;

/** `tail`: the last part of the file; its first line may be cut. Lines that are not JSON are skipped. */
export function readTranscript(tail: string): TranscriptTail {
  const pending = new Map<string, PendingCall>();
  let end: IdleReason = 'fresh';
  let words: string | undefined;
  for (const line of tail.split('\n')) {
    const parsed = parseLine(line);
    if (!parsed) continue;
    const blocks = blocksOf(parsed.message?.content);
    for (const block of blocks) {
      if (typeof block.tool_use_id === 'string') pending.delete(block.tool_use_id);
      const call = callOf(block);
      if (call && parsed.type === 'assistant' && pending.size < pendingMax)
        pending.set(call.id, call);
    }
    const text = blocks.findLast(({ text }) => typeof text === 'string')?.text;
    if (parsed.type === 'assistant') {
      end = parsed.isApiErrorMessage === true ? 'failed' : 'finished';
      if (typeof text === 'string') words = text;
    } else if (parsed.type === 'user' && typeof text === 'string') {
      if (interrupted.test(text)) {
        end = 'interrupted';
        pending.clear();
      } else if (parsed.isMeta !== true) {
        // A new message: earlier calls without a result were abandoned.
        pending.clear();
      }
    }
  }
  return { pending: [...pending.values()], end, words };
}

function parseLine(line: string): Line | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    // Cut at the start of the tail, or being written.
    return undefined;
  }
}

function blocksOf(content: unknown): readonly Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter((block): block is Block => typeof block === 'object' && block !== null);
}

function callOf({ type, id, name, input }: Block): PendingCall | undefined {
  if (type !== 'tool_use' || typeof id !== 'string' || typeof name !== 'string') return undefined;
  const fields = typeof input === 'object' && input !== null ? input : {};
  return { id, name, input: fields as Readonly<Record<string, unknown>> };
}
