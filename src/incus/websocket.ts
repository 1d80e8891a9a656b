// Websockets over the daemon's unix socket; `ws` is loaded when the first one is opened.
import { connect } from 'node:net';
import type { WebSocket } from 'ws';
import type { IncusError } from './client.ts';
import { callError, connectionError } from './http.ts';

/** Incus sends at most 128 KiB per message on exec sockets; an operation event may have some hundred KiB. */
const messageMaxBytes = 16 * 1024 * 1024;

export interface SocketHandle {
  readonly socket: WebSocket;
  /** Resolves when the upgrade was accepted. */
  readonly opened: Promise<void>;
}

export type SocketOpener = (path: string) => SocketHandle;

/**
 * Loads the library and returns a function that opens a socket synchronously, so that listeners can be added before the
 * first message. Errors after opening are not thrown; the socket emits `close`.
 */
export async function socketOpener(socketPath: string): Promise<SocketOpener> {
  const { WebSocket } = await import('ws');
  return (path) => {
    const call = { method: 'GET', path };
    const socket = new WebSocket(`ws://incus${path}`, {
      createConnection: () => connect({ path: socketPath }),
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: messageMaxBytes,
    });
    socket.binaryType = 'nodebuffer';
    const opened = new Promise<void>((resolve, reject) => {
      const fail = (error: IncusError) => reject(error);
      socket.once('open', resolve);
      socket.once('unexpected-response', (request, reply) => {
        request.destroy();
        fail(callError(call, 'EPROTO', `HTTP ${reply.statusCode} instead of a websocket`));
      });
      socket.on('error', (error) => fail(connectionError(call, error)));
      socket.once('close', () => fail(callError(call, 'ECONNRESET', 'the websocket was closed')));
    });
    // Avoids an unhandled rejection if nobody awaits it, such as for a control socket.
    opened.catch(() => undefined);
    return { socket, opened };
  };
}
