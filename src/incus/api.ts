// The API's envelope: distinguishes sync, async and error replies for all calls.
// Source: doc/rest-api.md of Incus, "Return values".
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { type Api, type ApiOptions, type Envelope, type Method, timedOut } from './call.ts';
import { type CallOptions, IncusError } from './client.ts';
import { withDeadline } from './deadline.ts';
import { type Http, type HttpCall, readBody } from './http.ts';
import { operationOf } from './operation.ts';
import type { OperationData } from './shapes.ts';

export const callLimitMs = 30_000;

export function openApi(http: Http, project: string | undefined): Api {
  const url = (path: string) => {
    const full = path.startsWith('/1.0') ? path : `/1.0${path}`;
    if (project === undefined) return full;
    return `${full}${full.includes('?') ? '&' : '?'}project=${encodeURIComponent(project)}`;
  };
  const call = async (method: Method, path: string, body?: unknown, options: ApiOptions = {}) => {
    const headers: OutgoingHttpHeaders = {};
    if (options.etag !== undefined) headers['If-Match'] = options.etag;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return exchange(
      http,
      { method, path: url(path), headers, body: content, longPoll: options.longPoll },
      options,
    );
  };
  const api: Api = {
    http,
    url,
    call,
    get: async <T>(path: string, options?: ApiOptions) =>
      (await call('GET', path, undefined, options)).metadata as T,
    find: async <T>(path: string, options?: CallOptions) => {
      const reply = await undefinedIfMissing(call('GET', path, undefined, options));
      return reply && { value: reply.metadata as T, etag: reply.etag };
    },
    start: async (method, path, body, options) => {
      const reply = await call(method, path, body, options);
      return operationOf(api, reply.metadata as OperationData);
    },
  };
  return api;
}

/** Sends a call and reads the envelope of its reply. Throws IncusError. */
export function exchange(
  http: Http,
  call: HttpCall,
  options: CallOptions,
  limitMs = callLimitMs,
): Promise<Envelope> {
  const timeoutMs = options.timeoutMs ?? limitMs;
  return withDeadline(options, timeoutMs, timedOut(call, timeoutMs), async (signal) =>
    envelope(await http.send(call, signal), call),
  );
}

/** Reads an envelope; an error reply is thrown. */
export async function envelope(reply: IncomingMessage, call: HttpCall): Promise<Envelope> {
  const status = reply.statusCode ?? 0;
  const body = parseEnvelope(await readBody(reply, call));
  if (body === undefined) {
    throw new IncusError({
      status,
      method: call.method,
      path: call.path,
      message: `HTTP ${status} without an Incus envelope`,
      errno: 'EPROTO',
    });
  }
  if (body.type === 'error' || status >= 400) {
    const message = typeof body.error === 'string' && body.error ? body.error : `HTTP ${status}`;
    throw new IncusError({
      status: body.error_code || status,
      method: call.method,
      path: call.path,
      message,
    });
  }
  return {
    type: body.type === 'async' ? 'async' : 'sync',
    metadata: body.metadata,
    etag: reply.headers.etag ?? '',
  };
}

/** Awaits a call; undefined for 404. */
export async function undefinedIfMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof IncusError && error.status === 404) return undefined;
    throw error;
  }
}

/** Encodes one segment of a path. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

interface RawEnvelope {
  type: string;
  error?: string;
  error_code?: number;
  metadata?: unknown;
}

function parseEnvelope(body: Buffer): RawEnvelope | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null && 'type' in value
      ? (value as RawEnvelope)
      : undefined;
  } catch {
    return undefined;
  }
}
