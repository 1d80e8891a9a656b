// Parses the lines of a Claude Code transcript (~/.claude/projects/<project>/<conversation>.jsonl: one JSON object per line,
// written when a message is complete). Not documented: seen in Claude Code 2.1.x. Pure.

export interface TranscriptLine {
  readonly type?: unknown;
  readonly subtype?: unknown;
  readonly uuid?: unknown;
  readonly isMeta?: unknown;
  readonly isApiErrorMessage?: unknown;
  readonly message?: {
    readonly content?: unknown;
    readonly stop_reason?: unknown;
  };
  /** Of a queue operation, or of a system message. */
  readonly content?: unknown;
  readonly operation?: unknown;
  /** Of the result of a call: whose decision it was. */
  readonly permissionDecision?: { readonly source?: unknown };
  readonly attachment?: { readonly type?: unknown; readonly prompt?: unknown };
}

export interface ContentBlock {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly input?: unknown;
  readonly tool_use_id?: unknown;
  readonly text?: unknown;
}

/** Each costs much more than a good one; an agent writes none but the first and the last of a part. */
const badLinesMax = 20;

const interrupted = /^\[Request interrupted by user/;

/** Part of a transcript; its first line may be cut, its last incomplete. Lines that are not JSON objects are skipped. */
export function* transcriptLines(part: string): Generator<TranscriptLine, void> {
  let bad = 0;
  for (const line of part.split('\n')) {
    const parsed = parseLine(line);
    if (parsed) yield parsed;
    else if (line.startsWith('{')) bad += 1;
    if (bad > badLinesMax) return;
  }
}

function parseLine(line: string): TranscriptLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

export function blocksOf({ message }: TranscriptLine): readonly ContentBlock[] {
  const content = message?.content;
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(
    (block): block is ContentBlock => typeof block === 'object' && block !== null,
  );
}

/** The text of the last block that has one. */
export function lastText(blocks: readonly ContentBlock[]): string | undefined {
  const text = blocks.findLast((block) => typeof block.text === 'string')?.text;
  return typeof text === 'string' ? text : undefined;
}

/** Claude Code writes this line in the user's name when the user has interrupted a turn. */
export function isInterruption(text: string): boolean {
  return interrupted.test(text);
}

/** A message of the user, not a result, a notice or the output of a command. */
export function isPrompt(line: TranscriptLine): boolean {
  const text = lastText(blocksOf(line));
  return (
    line.type === 'user' &&
    line.isMeta !== true &&
    text !== undefined &&
    !isInterruption(text) &&
    !/^<(?:bash|command|local-command)-/.test(text)
  );
}
