// A provider of models for agents: speaks the Messages API with streaming, says what it heard, and reports every request.
// Runs in the namespace that provider.ts makes; source of the shapes: https://docs.anthropic.com/en/api/messages-streaming.
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import type { FromProvider, HangUp, Heard, Message } from './provider-protocol.ts';

const [, , address = '', port = ''] = process.argv;

const server = createHttp((request, response) => {
  void answer(request, response).catch((error: unknown) => {
    response.writeHead(500).end(String(error));
  });
});
const silent = new Set<Socket>();
const listener = createServer((socket) => {
  silent.add(socket);
  socket.on('error', () => undefined);
  socket.resume();
  tell({ kind: 'connected' });
});
listener.listen(Number(port) + 1, address, () =>
  server.listen(Number(port), address, () => tell({ kind: 'ready' })),
);
process.on('message', ({ kind }: HangUp) => {
  if (kind === 'hang-up') for (const socket of silent) socket.destroy();
});
process.on('disconnect', () => process.exit(0));

function tell(message: FromProvider): void {
  process.send?.(message);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const path = request.url?.split('?')[0] ?? '';
  if (request.method !== 'POST' || !path.endsWith('/messages')) {
    const known = path.endsWith('/count_tokens') ? { input_tokens: 10 } : { data: [] };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(known));
    return;
  }
  const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    model: string;
    stream?: boolean;
    messages: Message[];
    tools?: unknown[];
  };
  const key = request.headers['x-api-key'] ?? request.headers.authorization ?? '';
  const heard: Heard = {
    kind: 'heard',
    key: String(key).replace(/^Bearer /, ''),
    model: body.model,
    // Titles and summaries are asked for without tools.
    hasTools: (body.tools?.length ?? 0) > 0,
    said: body.messages
      .filter(({ role }) => role === 'user' || role === 'assistant')
      .map((message) => ({ role: message.role, text: textOf(message) })),
  };
  tell(heard);
  const words = heard.said.findLast(({ role }) => role === 'user')?.text ?? '';
  const text = `I heard ${words.split('\n').at(-1)?.trim() ?? ''}.`;
  const [, command] = /^please run (.+)$/m.exec(words) ?? [];
  if (body.stream && command !== undefined && heard.hasTools)
    stream(response, body.model, toolCall(command), 'tool_use');
  else if (body.stream) stream(response, body.model, spoken(text));
  else {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...start(body.model), content: [{ type: 'text', text }] }));
  }
}

/** The words of a person: what agents add around them (reminders, contexts) is left out. */
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

function spoken(text: string): Block {
  return {
    start: { type: 'text', text: '' },
    deltas: text.split(/(?<= )/).map((word) => ({ type: 'text_delta', text: word })),
  };
}

/** The agent shall run that in its shell. */
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
