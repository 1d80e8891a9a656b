// Reads the end of a Claude Code transcript: which tool calls have no result yet, and how the last turn ended. Pure.
import type { IdleReason } from '../activity.ts';
import {
  blocksOf,
  type ContentBlock,
  isInterruption,
  isPrompt,
  lastText,
  type TranscriptLine,
  transcriptLines,
} from './lines.ts';

/** A tool call without a result: it runs, or the agent asks for permission. */
export interface PendingCall {
  /** No other call has it. */
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface TranscriptTail {
  /** Oldest first. */
  readonly pending: readonly PendingCall[];
  /** How the last turn ended, if the agent is idle. */
  readonly end: IdleReason;
  /** The agent's last words in that turn. */
  readonly said?: string | undefined;
}

/** A container can write any number of them. */
const pendingMax = 20;

/** `tail`: the last part of the file. */
export function readTranscript(tail: string): TranscriptTail {
  const pending = new Map<string, PendingCall>();
  let end: IdleReason = 'fresh';
  let said: string | undefined;
  for (const line of transcriptLines(tail)) {
    const blocks = blocksOf(line);
    for (const block of blocks) {
      if (typeof block.tool_use_id === 'string') pending.delete(block.tool_use_id);
      const call = callOf(block, line);
      if (call && line.type === 'assistant' && pending.size < pendingMax)
        pending.set(String(block.id), call);
    }
    const text = lastText(blocks);
    if (line.type === 'assistant') {
      end = line.isApiErrorMessage === true ? 'failed' : 'finished';
      said = text ?? said;
    } else if ((text !== undefined && isInterruption(text)) || isPrompt(line)) {
      // After a message: until there is an answer. Calls without a result were abandoned.
      end = 'interrupted';
      said = undefined;
      pending.clear();
    }
  }
  return { pending: [...pending.values()], end, said };
}

/** Anthropic's ids are unique; other providers begin again in each turn, so the id of the line is added. */
const uniqueId = /^toolu_\w+$/;

function callOf(
  { type, id, name, input }: ContentBlock,
  { uuid }: TranscriptLine,
): PendingCall | undefined {
  if (type !== 'tool_use' || typeof id !== 'string' || typeof name !== 'string') return undefined;
  const fields = typeof input === 'object' && input !== null ? input : {};
  return {
    id: uniqueId.test(id) || typeof uuid !== 'string' ? id : `${id}.${uuid}`,
    name,
    input: fields as Readonly<Record<string, unknown>>,
  };
}

/** Who has decided about a call: `hook`, or somebody else; undefined if it has no result yet, or if that is not said. */
export function decisionSource(tail: string, { id }: PendingCall): 'hook' | 'other' | undefined {
  for (const line of transcriptLines(tail)) {
    const isOf = blocksOf(line).some(
      ({ tool_use_id: of }) => typeof of === 'string' && (of === id || id.startsWith(`${of}.`)),
    );
    const source = line.permissionDecision?.source;
    if (isOf && typeof source === 'string') return source === 'hook' ? 'hook' : 'other';
  }
  return undefined;
}
