// Answers of a model provider, streamed or whole: they echo the input or ask for a command to be run.
// Source of the shapes: https://docs.anthropic.com/en/api/messages-streaming.
import type { ServerResponse } from 'node:http';
import type { AgentRequest, Message } from './provider-protocol.ts';

interface Request {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages: readonly Message[];
  readonly tools?: readonly unknown[];
}

/** Answers a request of the Messages API and echoes its input. */
export function answerMessages(
  text: string,
  response: ServerResponse,
): Omit<AgentRequest, 'kind' | 'key'> {
  const body = JSON.parse(text) as Request;
  const received = {
    model: body.model,
    // Requests for titles and summaries have no tools.
    hasTools: (body.tools?.length ?? 0) > 0,
    messages: body.messages
      .filter(({ role }) => role === 'user' || role === 'assistant')
      .map((message) => ({ role: message.role, text: textOf(message) })),
  };
  const words = received.messages.findLast(({ role }) => role === 'user')?.text ?? '';
  const reply = `I heard ${words.split('\n').at(-1)?.trim() ?? ''}.`;
  const [, command] = /^please run (.+)$/m.exec(words) ?? [];
  if (body.stream && command !== undefined && received.hasTools)
    stream(response, body.model, toolCall(command), 'tool_use');
  else if (body.stream) stream(response, body.model, textBlock(reply));
  else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ ...start(body.model), content: [{ type: 'text', text: reply }] }),
    );
  }
  return received;
}

/** The user's text without what agents add (reminders, contexts). */
function textOf({ content }: Message): string {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return blocks
    .filter(({ type }) => type === 'text')
    .map(({ text }) => (text ?? '').replace(/<system-reminder>[\s\S]*?<\/system-reminder>/g, ''))
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .join('\n');
}

function start(model: string) {
  return {
    id: `msg_${Math.random().toString(36).slice(2)}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [] as unknown[],
    stop_reason: 'end_turn' as string | null,
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  };
}

interface Block {
  readonly start: object;
  readonly deltas: readonly object[];
}

function textBlock(text: string): Block {
  return {
    start: { type: 'text', text: '' },
    deltas: text.split(/(?<= )/).map((word) => ({ type: 'text_delta', text: word })),
  };
}

/** Asks the agent to run this in its shell. */
function toolCall(command: string): Block {
  const id = `toolu_${Math.random().toString(36).slice(2)}`;
  const input = JSON.stringify({ command, description: 'What was asked for' });
  return {
    start: { type: 'tool_use', id, name: 'Bash', input: {} },
    deltas: [{ type: 'input_json_delta', partial_json: input }],
  };
}

function stream(
  response: ServerResponse,
  model: string,
  { start: block, deltas }: Block,
  reason: 'end_turn' | 'tool_use' = 'end_turn',
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const event = (type: string, more: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  event('message_start', { message: { ...start(model), stop_reason: null } });
  event('content_block_start', { index: 0, content_block: block });
  for (const delta of deltas) event('content_block_delta', { index: 0, delta });
  event('content_block_stop', { index: 0 });
  event('message_delta', {
    delta: { stop_reason: reason, stop_sequence: null },
    usage: { output_tokens: 5 },
  });
  event('message_stop', {});
  response.end();
}
