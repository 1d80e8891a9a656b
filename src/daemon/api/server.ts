// HTTP server on coid's socket: the kernel identifies the peer, requests are limited, every failure is a DaemonError.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  type AliveReply,
  type DaemonError,
  type DaemonStatus,
  protocolHeader,
  protocolVersion,
  requestBytesMax,
} from '../../coid-api/protocol.ts';
import { CoiError, type ErrorCode } from '../../errors.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import { IncusError } from '../../incus/client.ts';
import { parseContainerName } from '../../names.ts';
import type { Ownership } from '../cleanup/ownership.ts';
import type { SetIdSweeper } from '../cleanup/set-id-sweeper.ts';
import type { Log } from '../log.ts';
import { answerMonitorRequest } from '../monitor/monitor-requests.ts';
import type { Monitors } from '../monitor/monitors.ts';
import type { Remounts } from '../mounts/remounts.ts';
import type { NetworkService } from '../network/network-service.ts';
import type { StuckContainers } from '../reconcile/stuck.ts';
import type { Reservations } from '../reservations/reservations.ts';
import type { StartLocks } from '../reservations/start-locks.ts';
import {
  parseEndedRequest,
  parseOwnershipRequest,
  parseRemountRequest,
  parseReserveRequest,
  parseStuckRequest,
} from './requests.ts';

export interface ServerParts {
  readonly reservations: Reservations;
  readonly remounts: Remounts;
  readonly startLocks: Pick<StartLocks, 'releaseStart'>;
  readonly network: NetworkService;
  readonly monitors: Monitors;
  readonly ownership: Ownership;
  readonly setIds: SetIdSweeper;
  readonly stuck: Pick<StuckContainers, 'free'>;
  readonly status: () => Promise<DaemonStatus>;
  readonly alive: () => AliveReply;
  readonly peerOf: (socket: Socket) => Peer;
  /** Called after each reservation. */
  readonly reserved: () => void;
  /** Called after a reservation was released: parts of it may be left that only a reconcile pass removes. */
  readonly released: () => void;
  readonly log: Log;
}

/** Slow senders are dropped after this time. */
const requestLimitMs = 10_000;
const connectionsMax = 256;

/** The server, not yet listening. */
export function daemonServer(parts: ServerParts): Server {
  const peers = new WeakMap<Socket, Peer>();
  const server = createServer(
    { requestTimeout: requestLimitMs, headersTimeout: requestLimitMs, keepAliveTimeout: 1000 },
    (request, response) => {
      handle(parts, peers.get(request.socket), request, response).catch(() => {
        // The reply or the log line could not be written: this must end the request, not coid.
        if (!response.writableEnded) request.socket.destroy();
      });
    },
  );
  server.maxConnections = connectionsMax;
  server.on('connection', (socket: Socket) => {
    try {
      peers.set(socket, parts.peerOf(socket));
    } catch (error) {
      parts.log('warning', 'peer-unknown', { error });
      socket.destroy();
    }
  });
  return server;
}

async function handle(
  parts: ServerParts,
  peer: Peer | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now();
  const about = { method: request.method, path: request.url?.slice(0, 200), uid: peer?.uid };
  try {
    if (!peer) throw new CoiError('coid-failed', 'cannot identify the peer of the connection');
    const answer = await route(parts, peer, request);
    reply(response, answer === undefined ? 204 : 200, answer);
    parts.log('debug', 'request', {
      ...about,
      tookMs: Math.round((performance.now() - started) * 10) / 10,
    });
  } catch (error) {
    const failure = peerError(error);
    const { code, message, hint } =
      failure ??
      new CoiError('coid-failed', 'internal error in coid', {
        hint: 'Run `coi daemon logs` to see why.',
      });
    const body: DaemonError = { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
    reply(response, statusOf(code), body);
    parts.log(failure ? 'info' : 'error', 'request-failed', {
      ...about,
      code: failure?.code,
      error: failure ? failure.message : error,
    });
  }
}

async function route(parts: ServerParts, peer: Peer, request: IncomingMessage): Promise<unknown> {
  const { reservations, remounts, startLocks, network, monitors, ownership, setIds, stuck } = parts;
  const [version, ...words] =
    (request.url ?? '').split('?')[0]?.split('/').slice(1).map(decodeSegment) ?? [];
  const [noun, name, part] = words;
  const wanted =
    version === 'v1' && words.length <= 3
      ? `${request.method} ${noun}${name === undefined ? '' : '/*'}${part === undefined ? '' : `/${part}`}`
      : '';
  switch (wanted) {
    case 'GET alive':
      return parts.alive();
    case 'GET status':
      return parts.status();
    case 'GET sessions':
      return reservations.sessions(peer);
    case 'POST sessions': {
      const reservation = await reservations.reserve(
        parseReserveRequest(await readJson(request)),
        peer,
      );
      parts.reserved();
      return reservation;
    }
    case 'DELETE sessions/*':
      await reservations.release(name ?? '', peer);
      return parts.released();
    case 'DELETE starts/*':
      return startLocks.releaseStart(name ?? '');
    case 'POST containers/*/mounts': {
      const wanted = parseRemountRequest(await readJson(request));
      try {
        return { mounts: await remounts.remount(parseContainerName(name ?? ''), wanted, peer) };
      } catch (error) {
        startLocks.releaseStart(wanted.startId);
        throw error;
      }
    }
    case 'POST containers/*/free': {
      const { id } = parseStuckRequest(await readJson(request));
      return stuck.free(parseContainerName(name ?? ''), id, peer.uid);
    }
    case 'POST ownership':
      return ownership.giveBack(parseOwnershipRequest(await readJson(request)), peer);
    case 'POST ended':
      return setIds.endedSessions(parseEndedRequest(await readJson(request)), peer);
    case 'GET monitor':
    case 'GET monitor/*':
    case 'GET audit/*':
      return answerMonitorRequest(monitors, peer, request.url ?? '');
    case 'GET network/*':
      return network.report(parseContainerName(name ?? ''), peer);
    case 'POST network/*/permits':
      return network.permit(parseContainerName(name ?? ''), peer, await readJson(request));
    default:
      throw new CoiError('usage', 'coid does not know this request');
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > requestBytesMax)
      throw new CoiError('usage', `the request is larger than ${requestBytesMax} bytes`);
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    throw new CoiError('usage', 'invalid JSON in request', { cause: error });
  }
}

/** Errors that the peer may see, Incus failures included; undefined for a bug. */
function peerError(error: unknown): CoiError | undefined {
  if (error instanceof CoiError) return error;
  if (!(error instanceof IncusError)) return undefined;
  if (error.errno === 'ETIMEDOUT')
    return new CoiError('timeout', 'Incus did not answer coid in time', {
      hint: 'Incus is busy or hangs. Try again, or run `coi health`.',
      cause: error,
    });
  if (error.status === 0)
    return new CoiError('incus-unreachable', 'coid cannot reach Incus', {
      hint: 'Run `coi health` to see what is wrong.',
      cause: error,
    });
  return new CoiError('incus-failed', `Incus refused coid's request: ${error.message}`, {
    cause: error,
  });
}

const statuses: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  'workspace-invalid': 422,
  'mount-invalid': 422,
  'slot-taken': 409,
  'network-mode': 409,
  'config-invalid': 422,
  'session-not-found': 404,
  'incus-unreachable': 503,
};

function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 500;
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed || response.headersSent) return;
  const text = body === undefined ? '' : JSON.stringify(body);
  // One request per connection: the peer is identified on connect, and no connection lingers when coid stops.
  response.writeHead(status, {
    'content-type': 'application/json',
    [protocolHeader]: String(protocolVersion),
    connection: 'close',
  });
  response.end(text);
}

function decodeSegment(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
