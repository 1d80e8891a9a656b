// A model provider: implements the streaming Messages API, echoes its input, and reports every request.
// Runs in the namespace that provider.ts makes.
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { answerMessages } from './messages.ts';
import type { FromProvider, HangUp } from './provider-protocol.ts';

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
  report({ kind: 'connected' });
});
listener.listen(Number(port) + 1, address, () =>
  server.listen(Number(port), address, () => report({ kind: 'ready' })),
);
process.on('message', ({ kind }: HangUp) => {
  if (kind === 'hang-up') for (const socket of silent) socket.destroy();
});
process.on('disconnect', () => process.exit(0));

function report(message: FromProvider): void {
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
  const key = String(request.headers['x-api-key'] ?? request.headers.authorization ?? '');
  const received = answerMessages(Buffer.concat(chunks).toString('utf8'), response);
  report({ kind: 'heard', key: key.replace(/^Bearer /, ''), ...received });
}
