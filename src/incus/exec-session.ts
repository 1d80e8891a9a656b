// One exec from the request to its exit status: opens the sockets at once and waits for the operation meanwhile.
// Source: the instance_exec call of Incus 6.0 with `wait-for-websocket`: the reply contains a secret for each socket.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { callLimitMs, segment } from './api.ts';
import { type Api, timedOut } from './call.ts';
import { type CallOptions, type ExecRequest, IncusError } from './client.ts';
import { DataStream, type Direction } from './data-stream.ts';
import { withDeadline } from './deadline.ts';
import { callError } from './http.ts';
import { waitUntilDone } from './operation.ts';
import type { OperationData } from './shapes.ts';
import { type SocketHandle, type SocketOpener, socketOpener } from './websocket.ts';

export type Terminal =
  | { interactive: true; width: number; height: number }
  | { interactive: false };

export interface ExecSession<Fd extends string> {
  readonly streams: Readonly<Record<Fd, DataStream>>;
  /** Sends a message on the control socket; dropped if the command has ended. */
  control(message: Record<string, unknown>): void;
  readonly status: Promise<number>;
  /** Closes all connections; `status` rejects with the reason if the command has not ended. */
  close(reason?: unknown): void;
}

/** Starts a command. The time limit applies to opening, the signal to the whole exec. */
export async function openExec<Fd extends string>(
  api: Api,
  name: string,
  request: ExecRequest & Terminal,
  fds: Readonly<Record<Fd, Direction>>,
  options: CallOptions,
): Promise<ExecSession<Fd>> {
  const path = `/instances/${segment(name)}/exec`;
  const call = { method: 'POST', path: api.url(path) };
  const timeoutMs = options.timeoutMs ?? callLimitMs;
  return withDeadline(options, timeoutMs, timedOut(call, timeoutMs), async (signal) => {
    const body = { ...request, 'wait-for-websocket': true };
    // The websocket library is loaded while Incus handles the request, not before.
    const [reply, open] = await Promise.all([
      api.call('POST', path, body, { signal, timeoutMs }),
      nextTurn().then(() => socketOpener(api.http.socketPath)),
    ]);
    const operation = reply.metadata as OperationData;
    const session = startSession(api, operation, open, fds, options.signal);
    const giveUp = () => session.close(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await session.opened;
    } catch (error) {
      session.close(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
    return session;
  });
}

function startSession<Fd extends string>(
  api: Api,
  operation: OperationData,
  open: SocketOpener,
  fds: Readonly<Record<Fd, Direction>>,
  signal: AbortSignal | undefined,
): ExecSession<Fd> & { readonly opened: Promise<unknown> } {
  const secrets = (operation.metadata?.['fds'] ?? {}) as Record<string, string>;
  const openFd = (fd: string) =>
    open(api.url(`/operations/${operation.id}/websocket?secret=${secrets[fd] ?? ''}`));
  const names = Object.keys(fds) as Fd[];
  const links = names.map((fd) => openFd(fd));
  const control = openFd('control');
  const streams = Object.fromEntries(
    names.map((fd, index) => [fd, new DataStream(links[index] as SocketHandle, fds[fd])]),
  ) as Record<Fd, DataStream>;
  const readers = names.filter((fd) => fds[fd] !== 'write').map((fd) => streams[fd]);

  const life = new AbortController();
  const dropSockets = () => {
    for (const { socket } of [...links, control]) socket.terminate();
  };
  const close = (
    reason: unknown = callError(
      { method: 'GET', path: `/1.0/operations/${operation.id}` },
      'ECONNABORTED',
      'the exec was closed',
    ),
  ) => {
    life.abort(reason);
    dropSockets();
  };
  const abort = () => close(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const status = exitStatus(api, operation.id, readers, life.signal).finally(() => {
    signal?.removeEventListener('abort', abort);
    dropSockets();
  });
  // Avoids an unhandled rejection if the caller does not await the status.
  status.catch(() => {});
  return {
    streams,
    status,
    close,
    // The command starts when the data sockets are open; it may end before the control socket is.
    opened: Promise.all([...links.map(({ opened }) => opened), control.opened.catch(() => {})]),
    control: (message) => {
      control.opened.then(
        () => control.socket.send(JSON.stringify(message), () => {}),
        () => {},
      );
    },
  };
}

/** Waits for the end, then for the readers, so that the last output comes before the status. */
async function exitStatus(
  api: Api,
  id: string,
  readers: readonly DataStream[],
  signal: AbortSignal,
): Promise<number> {
  const done = await waitUntilDone(api, id, signal);
  const closed = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  await Promise.race([Promise.all(readers.map((reader) => reader.drained())), closed]);
  // With 126 and 127 the operation fails but still has the status.
  const status = done.metadata?.['return'];
  if (typeof status === 'number' && status >= 0) return status;
  const path = `/1.0/operations/${id}`;
  throw new IncusError({
    status: done.status_code,
    method: 'GET',
    path,
    // No status, or -1. Incus reports that it found no process id, but such a command has been seen to run.
    lostAtStart: true,
    message:
      done.err || (status === undefined ? done.status : 'Incus lost the command at its start'),
  });
}
