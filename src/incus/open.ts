// Combines all groups of calls into one client, and finds the daemon's socket.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openApi } from './api.ts';
import type { Incus } from './client.ts';
import { withDefaults } from './defaults.ts';
import { eventCalls } from './events.ts';
import { execCalls } from './exec.ts';
import { fileCalls } from './files.ts';
import { openHttp } from './http.ts';
import { imageCalls } from './images.ts';
import { instanceCalls } from './instances.ts';
import { resourceCalls } from './resources.ts';
import type { Server } from './shapes.ts';

/** A client for the daemon at that socket. Connects on first use; `close` closes idle connections. */
export function openIncus({
  socketPath,
  project,
}: {
  socketPath: string;
  project?: string | undefined;
}): Incus {
  const http = openHttp(socketPath);
  const api = openApi(http, project);
  let extensions: Promise<Set<string>> | undefined;
  const server: Incus['server'] = async (options) =>
    withDefaults.server(await api.get<Server>('/1.0', options));
  return {
    socketPath,
    server,
    has: async (extension, options) => {
      extensions ??= server(options).then(({ api_extensions }) => new Set(api_extensions));
      try {
        return (await extensions).has(extension);
      } catch (error) {
        // The next call tries again.
        extensions = undefined;
        throw error;
      }
    },
    ...instanceCalls(api),
    ...execCalls(api),
    ...fileCalls(api),
    ...imageCalls(api),
    ...resourceCalls(api),
    ...eventCalls(api),
    query: async (method, path, body, options) =>
      (await api.call(method, path, body, options)).metadata,
    close: () => http.close(),
  };
}

/** Path of the unix socket: `$INCUS_SOCKET`, `$INCUS_DIR`, or the packages' default. It need not exist. */
export function incusSocketPath(
  env: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean = existsSync,
): string {
  if (env['INCUS_SOCKET']) return env['INCUS_SOCKET'];
  if (env['INCUS_DIR']) return join(env['INCUS_DIR'], 'unix.socket');
  const runtime = '/run/incus/unix.socket';
  return exists(runtime) ? runtime : '/var/lib/incus/unix.socket';
}
