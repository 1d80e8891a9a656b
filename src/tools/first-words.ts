// The first words of a conversation, from the beginning of the file in which an agent keeps it. The agent wrote it: any
// line may be anything, and what does not fit is passed over. Pure.

type Json = Readonly<Record<string, unknown>>;

/** Claude Code: a line a message; what it says to itself is marked, or stands in tags. */
export function claudeWords(head: string): string | undefined {
  return firstOf(head, (line) => {
    if (line['type'] !== 'user' || line['isMeta'] === true || line['isSidechain'] === true)
      return undefined;
    return contentWords(table(line['message']));
  });
}

/** pi: a line an entry, messages among them. */
export function piWords(head: string): string | undefined {
  return firstOf(head, (line) => {
    const message = table(line['message']);
    return line['type'] === 'message' && message['role'] === 'user'
      ? contentWords(message)
      : undefined;
  });
}

/** Codex: what the model gets, in which the surroundings come as messages in tags, and what the screen shows. */
export function codexWords(head: string): string | undefined {
  return firstOf(head, (line) => {
    const payload = table(line['payload']);
    if (line['type'] === 'event_msg' && payload['type'] === 'user_message')
      return said(payload['message']);
    return line['type'] === 'response_item' &&
      payload['type'] === 'message' &&
      payload['role'] === 'user'
      ? contentWords(payload)
      : undefined;
  });
}

/** aider: Markdown, in which each of the user's lines begins with `####`. */
export function aiderWords(head: string): string | undefined {
  return said(/^#### (.+)$/m.exec(head)?.[1]);
}

function firstOf(head: string, words: (line: Json) => string | undefined): string | undefined {
  for (const line of head.split('\n')) {
    const found = line.startsWith('{') ? words(parsed(line)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A message's text: a string, or the first part that is text of the user's own. */
function contentWords({ content }: { readonly content?: unknown }): string | undefined {
  if (!Array.isArray(content)) return said(content);
  for (const part of content) {
    const { type, text } = table(part);
    const found = type === 'text' || type === 'input_text' ? said(text) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What stands in tags, or comes from the project's instructions, was not typed. */
function said(text: unknown): string | undefined {
  if (typeof text !== 'string' || !/\S/.test(text)) return undefined;
  const isOurs =
    /^\s*(?:<[A-Za-z]+[_-][\w-]*>|<INSTRUCTIONS>|# AGENTS\.md instructions|Caveat: The messages below)/.test(
      text,
    );
  return isOurs ? undefined : text;
}

function parsed(line: string): Json {
  try {
    return table(JSON.parse(line));
  } catch {
    // Its end was not read, or it never was JSON.
    return {};
  }
}

function table(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}
