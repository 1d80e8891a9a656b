// The user's first words in a conversation, from the start of the agent's conversation file. The agent wrote the file, so
// any line can contain anything; lines that do not fit are skipped. Pure.

type Json = Readonly<Record<string, unknown>>;

/** Claude Code: one message per line; internal messages are marked or in tags. */
export function claudeWords(head: string): string | undefined {
  return firstOf(head, (line) => {
    if (line['type'] !== 'user' || line['isMeta'] === true || line['isSidechain'] === true)
      return undefined;
    return contentWords(table(line['message']));
  });
}

/** pi: one entry per line; some are messages. */
export function piWords(head: string): string | undefined {
  return firstOf(head, (line) => {
    const message = table(line['message']);
    return line['type'] === 'message' && message['role'] === 'user'
      ? contentWords(message)
      : undefined;
  });
}

/** Codex: the model input, where environment messages are in tags, and the displayed messages. */
export function codexWords(head: string): string | undefined {
  return firstOf(head, (line) => {
    const payload = table(line['payload']);
    if (line['type'] === 'event_msg' && payload['type'] === 'user_message')
      return typedText(payload['message']);
    return line['type'] === 'response_item' &&
      payload['type'] === 'message' &&
      payload['role'] === 'user'
      ? contentWords(payload)
      : undefined;
  });
}

/** aider: Markdown; each line of the user begins with `####`. */
export function aiderWords(head: string): string | undefined {
  return typedText(/^#### (.+)$/m.exec(head)?.[1]);
}

function firstOf(head: string, words: (line: Json) => string | undefined): string | undefined {
  for (const line of head.split('\n')) {
    const found = line.startsWith('{') ? words(parseLine(line)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A message's text: a string, or the first part that the user typed. */
function contentWords({ content }: { readonly content?: unknown }): string | undefined {
  if (!Array.isArray(content)) return typedText(content);
  for (const part of content) {
    const { type, text } = table(part);
    const found = type === 'text' || type === 'input_text' ? typedText(text) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Text in tags or from the project's instructions was not typed by the user. */
function typedText(text: unknown): string | undefined {
  if (typeof text !== 'string' || !/\S/.test(text)) return undefined;
  const isOurs =
    /^\s*(?:<[A-Za-z]+[_-][\w-]*>|<INSTRUCTIONS>|# AGENTS\.md instructions|Caveat: The messages below)/.test(
      text,
    );
  return isOurs ? undefined : text;
}

function parseLine(line: string): Json {
  try {
    return table(JSON.parse(line));
  } catch {
    // A truncated line, or not JSON.
    return {};
  }
}

function table(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}
