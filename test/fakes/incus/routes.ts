// Route table of the fake: method, pattern, handler. A handler returns its reply or throws a Refusal.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OperationData } from '../../../src/incus/shapes.ts';
import type { Operations } from './operations.ts';
import type { FakeState } from './state.ts';

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Captured path segments, decoded. */
  readonly args: readonly string[];
  /** The raw body, and the parsed JSON. */
  readonly raw: Buffer;
  json<T>(): T;
}

export type Reply =
  | { readonly kind: 'sync'; readonly metadata: unknown; readonly etag?: string }
  | { readonly kind: 'async'; readonly operation: OperationData }
  | { readonly kind: 'raw'; readonly headers: Record<string, string>; readonly body: Buffer };

export interface FakeDaemon {
  readonly state: FakeState;
  readonly operations: Operations;
}

export interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly handle: (request: Request, daemon: FakeDaemon) => Reply | Promise<Reply>;
}

export const sync = (metadata: unknown = {}, etag?: string): Reply =>
  etag === undefined ? { kind: 'sync', metadata } : { kind: 'sync', metadata, etag };
export const accepted = (operation: OperationData): Reply => ({ kind: 'async', operation });

/** Converts `GET /1.0/instances/*` to a pattern; each star captures one encoded segment. */
export function route(spec: string, handle: Route['handle']): Route {
  const [method = '', path = ''] = spec.split(' ');
  const pattern = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll('*', '([^/]+)')}$`);
  return { method, pattern, handle };
}

export function send(response: ServerResponse, reply: Reply): void {
  switch (reply.kind) {
    case 'raw':
      response.writeHead(200, reply.headers).end(reply.body);
      return;
    case 'sync': {
      const headers = reply.etag === undefined ? {} : { ETag: reply.etag };
      json(
        response,
        200,
        { type: 'sync', status: 'Success', status_code: 200, metadata: reply.metadata },
        headers,
      );
      return;
    }
    case 'async': {
      const operation = `/1.0/operations/${reply.operation.id}`;
      json(response, 202, {
        type: 'async',
        status: 'Operation created',
        status_code: 100,
        operation,
        metadata: reply.operation,
      });
    }
  }
}

export function sendError(response: ServerResponse, status: number, message: string): void {
  json(response, status, { type: 'error', error: message, error_code: status, metadata: null });
}

function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response
    .writeHead(status, { 'Content-Type': 'application/json', ...headers })
    .end(JSON.stringify(body));
}
