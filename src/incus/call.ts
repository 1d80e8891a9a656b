// The calls of the API as their users see them.
import type { CallOptions, IncusError, Operation } from './client.ts';
import type { Http } from './http.ts';
import { lost } from './http.ts';

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

/** What the families of calls are made of. */
export interface Api {
  readonly http: Http;
  /** The path with `/1.0` before it and the project, if there is one, in its query. */
  url(path: string): string;
  call(method: Method, path: string, body?: unknown, options?: ApiOptions): Promise<Envelope>;
  /** The metadata of a reply, trusted to have the documented shape. */
  get<T>(path: string, options?: ApiOptions): Promise<T>;
  /** The same, or undefined where there is nothing (404). */
  find<T>(path: string, options?: CallOptions): Promise<{ value: T; etag: string } | undefined>;
  /** A call that starts a background operation. */
  start(method: Method, path: string, body?: unknown, options?: ApiOptions): Promise<Operation>;
}

export function timedOut(
  call: { method: string; path: string },
  timeoutMs: number,
): () => IncusError {
  return () => lost(call, 'ETIMEDOUT', `no answer from Incus within ${timeoutMs / 1000} s`);
}
