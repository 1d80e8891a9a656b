// One request to coid and its reply. Every session start loads this file, so it imports nothing but node:http.
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { CoiError, type ErrorCode, errorCodes } from '../errors.ts';
import { type DaemonError, protocolHeader, protocolVersion } from './protocol.ts';
import { noReplyError } from './wait-for-reply.ts';

// As in incus/http.ts: an import would also load undici.
const { Agent, request: httpRequest } = createRequire(import.meta.url)(
  'node:http',
) as typeof import('node:http');

/** A whole audit log is 36 MiB at most, and escaping doubles its quotes. */
const replyBytesMax = 64 * 1024 * 1024;

export interface CallLimits {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface Call {
  readonly socketPath: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** Throws CoiError, as documented at `Coid`, or the signal's reason. */
export async function callCoid(call: Call, { signal, timeoutMs }: CallLimits): Promise<unknown> {
  const limit = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const ends = [signal, limit].filter((one) => one !== undefined);
  try {
    return parseReply(await exchange(call, AbortSignal.any(ends)));
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw error;
    if (signal?.aborted)
      throw signal.reason instanceof CoiError
        ? signal.reason
        : new CoiError('cancelled', 'cancelled', { cause: error });
    if (limit?.aborted) throw noReplyError(timeoutMs ?? 0, error);
    throw error instanceof CoiError ? error : unreachableError(error, call.socketPath);
  }
}

interface Reply {
  readonly status: number;
  readonly protocol: string | undefined;
  readonly text: string;
}

function exchange({ socketPath, method, path, body }: Call, signal: AbortSignal): Promise<Reply> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const headers =
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const outgoing = httpRequest(
      { socketPath, method, path, headers, signal, agent: new Agent({ keepAlive: false }) },
      (incoming) => {
        readReply(incoming).then(resolve, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(text);
  });
}

async function readReply(incoming: IncomingMessage): Promise<Reply> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > replyBytesMax) throw new CoiError('coid-failed', "coid's reply is too large");
    parts.push(part);
  }
  const protocol = incoming.headers[protocolHeader];
  return {
    status: incoming.statusCode ?? 0,
    protocol: typeof protocol === 'string' ? protocol : undefined,
    text: Buffer.concat(parts).toString('utf8'),
  };
}

function parseReply({ status, protocol, text }: Reply): unknown {
  if (protocol !== String(protocolVersion)) {
    throw new CoiError(
      'coid-version',
      `coid speaks protocol version ${protocol ?? 'unknown'}, coi speaks version ${protocolVersion}`,
      {
        hint: 'Restart coid (`sudo coi daemon stop && sudo coi daemon start`), or run `sudo coi setup`.',
      },
    );
  }
  if (status === 204) return undefined;
  const value = parseJson(text);
  if (status >= 200 && status < 300) return value;
  const { code, message, hint } = (value as Partial<DaemonError> | undefined)?.error ?? {
    code: 'coid-failed',
    message: `coid answered with status ${status}`,
  };
  throw new CoiError(
    Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'coid-failed',
    message,
    { hint },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CoiError('coid-failed', 'coid sent invalid JSON', {
      hint: 'Run `coi daemon logs` to see why.',
      cause: error,
    });
  }
}

function unreachableError(error: unknown, socketPath: string): CoiError {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EACCES' || code === 'EPERM') {
    return new CoiError('coid-unreachable', `permission denied on coid's socket ${socketPath}`, {
      hint: 'Join the group incus-admin (`sudo coi setup` does it) and log in again.',
      cause: error,
    });
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new CoiError('coid-unreachable', 'coid, the coi daemon, is not running', {
      hint: 'Start it with `sudo coi daemon start`; `sudo coi setup` installs it.',
      cause: error,
    });
  }
  return new CoiError(
    'coid-unreachable',
    `the connection to coid was lost (${code ?? (error instanceof Error ? error.message : String(error))})`,
    {
      hint: 'Run `coi daemon logs` to see why.',
      cause: error,
    },
  );
}
