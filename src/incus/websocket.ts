// Websockets over the daemon's unix socket; `ws` is loaded only when the first one is opened.
import { connect } from 'node:net';
import type { WebSocket } from 'ws';
import type { IncusError } from './client.ts';
import { connectionError, lost } from './http.ts';

/** Incus sends pieces of at most 128 KiB on exec sockets; an operation event may carry some hundred KiB. */
const messageMaxBytes = 16 * 1024 * 1024;

export interface OpenedSocket {
  readonly socket: WebSocket;
  /** Resolves when the upgrade was accepted. */
  readonly opened: Promise<void>;
}

export type SocketOpener = (path: string) => OpenedSocket;

/**
 * Loads the library and returns what opens a socket at once, so that a listener can be set before the first message.
 * Errors after the opening are not thrown: they end in the socket's `close`.
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
        fail(lost(call, 'EPROTO', `HTTP ${reply.statusCode} instead of a websocket`));
      });
      socket.on('error', (error) => fail(connectionError(call, error)));
      socket.once('close', () => fail(lost(call, 'ECONNRESET', 'the websocket was closed')));
    });
    // Who awaits it sees the rejection; a control socket may be of no interest any more.
    opened.catch(() => undefined);
    return { socket, opened };
  };
}
