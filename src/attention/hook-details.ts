// Reads what an agent gave to its hook, which coi-status passes on in a status file: the details of an ask, and the last words.
// Seen in Codex 0.171 and Gemini CLI 0.61. Pure.
import { fieldsOf, jsonText, textOf } from './fields.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What Gemini CLI says in place of an answer. */
const noAnswer = '[no response text]';

/** The fields of a status file, completed from its `hook`. */
export function withHookDetails(file: Fields): Fields {
  const hook = fieldsOf(file['hook']);
  switch (hook['hook_event_name']) {
    case 'PermissionRequest':
      return { ...file, asks: withDetails(file['asks'], codexAsk(hook)) };
    case 'Notification':
      return { ...file, asks: withDetails(file['asks'], geminiAsk(hook)) };
    case 'Stop':
      return { ...file, said: hook['last_assistant_message'] };
    case 'AfterAgent':
      // Without an answer the turn was interrupted, or failed: its conversation tells (turns/gemini.ts).
      return hook['prompt_response'] === noAnswer
        ? { ...file, end: 'interrupted' }
        : { ...file, end: 'finished', said: hook['prompt_response'] };
    default:
      return file;
  }
}

/** Where the agent writes its conversation, as a path in the container. */
export function transcriptOf(file: Fields): string {
  return textOf(fieldsOf(file['hook'])['transcript_path']);
}

function withDetails(asks: unknown, details: Fields): unknown {
  return Array.isArray(asks)
    ? asks.map((ask: unknown) => ({ ...fieldsOf(ask), ...details }))
    : asks;
}

function codexAsk(hook: Fields): Fields {
  const input = fieldsOf(hook['tool_input']);
  const command = textOf(input['command']) || jsonText(input);
  return {
    title: textOf(hook['tool_name']),
    body: [command, textOf(input['description'])].filter((text) => text !== '').join('\n'),
  };
}

function geminiAsk(hook: Fields): Fields {
  const details = fieldsOf(hook['details']);
  const about = [details['command'], details['filePath'], details['fileName']].map(textOf);
  return {
    // Its hook does not say what is asked.
    ...(details['type'] === 'ask_user' && { kind: 'question' }),
    title: textOf(details['title']) || textOf(hook['message']),
    body: about.find((text) => text !== '') ?? '',
  };
}
