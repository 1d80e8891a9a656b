// Files of an instance, running or stopped.
// Source: doc/rest-api.md, /1.0/instances/<name>/files: X-Incus headers carry the kind, owner and mode.
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { callLimitMs, envelope, exchange, segment } from './api.ts';
import { type Api, timedOut } from './call.ts';
import {
  type CallOptions,
  type FileOptions,
  type GuestFile,
  type Incus,
  IncusError,
} from './client.ts';
import { withDeadline } from './deadline.ts';
import { callError, type HttpCall, readBody } from './http.ts';

/** A large file may take any time, but must not stall for this long. */
const silenceLimitMs = 30_000;
const uploadLimitMs = 15 * 60_000;
const linkMaxBytes = 64 * 1024;

type FileCalls = Pick<
  Incus,
  'readFile' | 'writeFile' | 'makeDirectory' | 'makeLink' | 'deleteFile'
>;

export function fileCalls(api: Api): FileCalls {
  const at = (name: string, path: string) =>
    `/instances/${segment(name)}/files?path=${segment(path)}`;
  return {
    readFile: (name, path, options = {}) => readFile(api, at(name, path), options),
    writeFile: async (name, path, content, options = {}) => {
      const headers = {
        ...fileHeaders('file', options),
        'Content-Type': 'application/octet-stream',
      };
      await exchange(
        api.http,
        { method: 'POST', path: api.url(at(name, path)), headers, body: content },
        options,
        uploadLimitMs,
      );
    },
    makeDirectory: async (name, path, options = {}) => {
      await exchange(
        api.http,
        {
          method: 'POST',
          path: api.url(at(name, path)),
          headers: fileHeaders('directory', options),
        },
        options,
      );
    },
    makeLink: async (name, path, target, options = {}) => {
      const headers = fileHeaders('symlink', options);
      const body = Buffer.from(target);
      await exchange(
        api.http,
        { method: 'POST', path: api.url(at(name, path)), headers, body },
        options,
      );
    },
    deleteFile: async (name, path, options) => {
      await api.call('DELETE', at(name, path), undefined, options);
    },
  };
}

async function readFile(
  api: Api,
  path: string,
  options: CallOptions,
): Promise<GuestFile | undefined> {
  const call: HttpCall = { method: 'GET', path: api.url(path) };
  const timeoutMs = options.timeoutMs ?? callLimitMs;
  return withDeadline(options, timeoutMs, timedOut(call, timeoutMs), async (signal) => {
    const reply = await api.http.send(call, signal);
    if (reply.statusCode !== 200) {
      await throwUnlessMissing(reply, call);
      return undefined;
    }
    const about = {
      uid: number(reply, 'uid'),
      gid: number(reply, 'gid'),
      mode: number(reply, 'mode', 8),
    };
    switch (reply.headers['x-incus-type']) {
      case 'directory':
        return {
          kind: 'directory',
          ...about,
          entries: ((await envelope(reply, call)).metadata ?? []) as string[],
        };
      case 'symlink':
        return {
          kind: 'symlink',
          ...about,
          target: (await readBody(reply, call, linkMaxBytes)).toString('utf8').trimEnd(),
        };
      default:
        return { kind: 'file', ...about, content: withStallTimeout(reply, call, options.signal) };
    }
  });
}

/** The content, which outlives the call: the caller's signal still aborts it, and so does a stalled transfer. */
function withStallTimeout(
  reply: IncomingMessage,
  call: HttpCall,
  signal: AbortSignal | undefined,
): Readable {
  reply.setTimeout(silenceLimitMs, () =>
    reply.destroy(callError(call, 'ETIMEDOUT', 'the file transfer stalled')),
  );
  const abort = () => reply.destroy(signal?.reason instanceof Error ? signal.reason : undefined);
  signal?.addEventListener('abort', abort, { once: true });
  reply.once('close', () => signal?.removeEventListener('abort', abort));
  return reply;
}

/** Reads an error reply; returns for 404, throws otherwise. */
async function throwUnlessMissing(reply: IncomingMessage, call: HttpCall): Promise<void> {
  try {
    await envelope(reply, call);
  } catch (error) {
    if (!(error instanceof IncusError && error.status === 404)) throw error;
  }
}

function fileHeaders(
  type: 'file' | 'directory' | 'symlink',
  options: FileOptions,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'X-Incus-type': type };
  if (options.uid !== undefined) headers['X-Incus-uid'] = String(options.uid);
  if (options.gid !== undefined) headers['X-Incus-gid'] = String(options.gid);
  if (options.mode !== undefined) headers['X-Incus-mode'] = `0${options.mode.toString(8)}`;
  if (options.write !== undefined) headers['X-Incus-write'] = options.write;
  return headers;
}

function number(reply: IncomingMessage, header: string, radix = 10): number {
  return Number.parseInt(String(reply.headers[`x-incus-${header}`] ?? '0'), radix);
}
