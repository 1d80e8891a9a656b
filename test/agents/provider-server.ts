// A provider of models for agents: speaks the Messages API with streaming, says what it heard, and reports every request.
// Runs in the namespace that provider.ts makes; source of the shapes: https://docs.anthropic.com/en/api/messages-streaming.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { FromProvider, Heard, Message } from './provider-protocol.ts';

const [, , address = '', port = ''] = process.argv;

const server = createServer((request, response) => {
  void answer(request, response).catch((error: unknown) => {
    response.writeHead(500).end(String(error));
  });
});
server.listen(Number(port), address, () => tell({ kind: 'ready' }));
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
  if (body.stream) stream(response, body.model, text);
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

function stream(response: ServerResponse, model: string, text: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const event = (type: string, more: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`);
  event('message_start', { message: { ...start(model), stop_reason: null } });
  event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  for (const word of text.split(/(?<= )/))
    event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: word } });
  event('content_block_stop', { index: 0 });
  event('message_delta', {
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 5 },
  });
  event('message_stop', {});
  response.end();
}
