// HTTP over the daemon's unix socket: one pool of kept connections, nothing of the API's meaning.
import type { Agent as HttpAgent, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IncusError } from './client.ts';

/** Imported, node:http would give all its exports values, which loads undici: 60 ms of every start (faults.test.ts). */
const { Agent, request } = createRequire(import.meta.url)(
  'node:http',
) as typeof import('node:http');

/** A reply that is held in memory may not be larger: a list of a thousand instances has about 10 MiB. */
const replyMaxBytes = 64 * 1024 * 1024;

export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | Readable | undefined;
  /** A GET that hangs until something happens: losing its connection is news, not staleness. */
  readonly longPoll?: boolean | undefined;
}

export interface Http {
  readonly socketPath: string;
  /** Sends and resolves with the head of the reply; the body must be read or destroyed. Throws IncusError with status 0 and errno. */
  send(call: HttpCall, signal: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** Idle connections do not keep the process alive: the agent unrefs them. */
export function openHttp(socketPath: string): Http {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 8 });
  return {
    socketPath,
    async send(call, signal) {
      try {
        return await sendOnce(agent, socketPath, call, signal);
      } catch (error) {
        if (error instanceof StaleConnection)
          return await sendOnce(agent, socketPath, call, signal);
        throw error;
      }
    },
    close: () => agent.destroy(),
  };
}

/** A kept connection that the daemon had closed: no request was taken, so a GET is sent again on a fresh one. */
class StaleConnection extends Error {}

function sendOnce(
  agent: HttpAgent,
  socketPath: string,
  call: HttpCall,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method, path, body } = call;
    const headers = { ...call.headers };
    if (Buffer.isBuffer(body)) headers['Content-Length'] = body.length;
    // An agent works out a server's name for TLS even where there is none, and that compiles an expression for 8 ms.
    const target = { socketPath, servername: '' };
    const sent = request({ ...target, agent, method, path, headers, signal });
    let answered = false;
    sent.once('response', (reply) => {
      answered = true;
      resolve(reply);
    });
    sent.on('error', (error) => {
      if (signal.aborted) return reject(signal.reason);
      const readOnly = method === 'GET' && !call.longPoll;
      const stale = sent.reusedSocket && !answered && readOnly && errnoOf(error) === 'ECONNRESET';
      reject(stale ? new StaleConnection() : connectionError(call, error));
    });
    if (body === undefined || Buffer.isBuffer(body)) {
      sent.end(body);
      return;
    }
    // A reply before the end of the upload (an error, mostly) is the answer; the pipe breaking then is not news.
    pipeline(body, sent).catch((error: unknown) => {
      if (!answered) reject(signal.aborted ? signal.reason : connectionError(call, error));
    });
  });
}

/** Reads the whole body. Throws IncusError with errno EMSGSIZE above the cap and ECONNRESET when it is cut off. */
export async function readBody(
  reply: IncomingMessage,
  call: HttpCall,
  maxBytes = replyMaxBytes,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of reply as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw connectionError(call, error);
  }
  if (size > maxBytes) throw lost(call, 'EMSGSIZE', `the reply is larger than ${maxBytes} bytes`);
  return Buffer.concat(chunks, size);
}

/** What a socket error becomes: status 0 and the system's code. */
export function connectionError(
  call: { method: string; path: string },
  error: unknown,
): IncusError {
  if (error instanceof IncusError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return lost(call, errnoOf(error) ?? 'ECONNRESET', message, error);
}

export function lost(
  call: { method: string; path: string },
  errno: string,
  message: string,
  cause?: unknown,
): IncusError {
  return new IncusError({ status: 0, method: call.method, path: call.path, message, errno, cause });
}

function errnoOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' && !code.startsWith('ERR_') ? code : undefined;
}
