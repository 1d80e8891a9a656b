// HTTP over the daemon's unix socket with a connection pool; independent of the API.
import type { Agent as HttpAgent, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IncusError } from './client.ts';

/** Importing node:http would evaluate all its exports, which loads undici: 60 ms at every start (faults.test.ts). */
const { Agent, request } = createRequire(import.meta.url)(
  'node:http',
) as typeof import('node:http');

/** The limit for a reply in memory; a list of a thousand instances has about 10 MiB. */
const replyMaxBytes = 64 * 1024 * 1024;

export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Buffer | Readable | undefined;
  /** A GET that blocks until something happens; it must not be retried after a lost connection. */
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

/** The daemon had closed a pooled connection before it read the request, so a GET is sent again on a new one. */
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
    // Without it the agent computes a TLS server name even for a unix socket, which compiles a regular expression for 8 ms.
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
    // A reply before the end of the upload (usually an error) is final; ignore the broken pipe that follows.
    pipeline(body, sent).catch((error: unknown) => {
      if (!answered) reject(signal.aborted ? signal.reason : connectionError(call, error));
    });
  });
}

/** Reads the whole body. Throws IncusError with errno EMSGSIZE above the limit and ECONNRESET if it is cut off. */
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
  if (size > maxBytes)
    throw callError(call, 'EMSGSIZE', `the reply is larger than ${maxBytes} bytes`);
  return Buffer.concat(chunks, size);
}

/** Converts a socket error to an IncusError with status 0 and the system's error code. */
export function connectionError(
  call: { method: string; path: string },
  error: unknown,
): IncusError {
  if (error instanceof IncusError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return callError(call, errnoOf(error) ?? 'ECONNRESET', message, error);
}

export function callError(
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
