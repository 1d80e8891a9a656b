// The interface of API calls.
import type { CallOptions, IncusError, Operation } from './client.ts';
import type { Http } from './http.ts';
import { callError } from './http.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ApiOptions extends CallOptions {
  etag?: string;
  longPoll?: boolean;
}

export interface Envelope {
  readonly type: 'sync' | 'async';
  readonly metadata: unknown;
  readonly etag: string;
}

/** The building blocks of all groups of calls. */
export interface Api {
  readonly http: Http;
  /** The path with the prefix `/1.0`, and the project, if any, in its query. */
  url(path: string): string;
  call(method: Method, path: string, body?: unknown, options?: ApiOptions): Promise<Envelope>;
  /** The metadata of a reply, trusted to have the documented shape. */
  get<T>(path: string, options?: ApiOptions): Promise<T>;
  /** Like `get`; undefined for 404. */
  find<T>(path: string, options?: CallOptions): Promise<{ value: T; etag: string } | undefined>;
  /** A call that starts a background operation. */
  start(method: Method, path: string, body?: unknown, options?: ApiOptions): Promise<Operation>;
}

export function timedOut(
  call: { method: string; path: string },
  timeoutMs: number,
): () => IncusError {
  return () => callError(call, 'ETIMEDOUT', `no answer from Incus within ${timeoutMs / 1000} s`);
}
