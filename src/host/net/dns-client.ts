// A DNS client: UDP first, TCP for truncated replies, the next server after a timeout. Source: RFC 1035, RFC 5452.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { frameMessage } from './dns-server.ts';

export interface QueryOptions {
  /** Addresses; IPv4 addresses may have a `:port` (default 53). */
  readonly servers: readonly string[];
  /** A query in wire format with one question; its id is replaced. */
  readonly message: Buffer;
  readonly signal?: AbortSignal;
}

const tryMs = 1500;
/** Clients give up after five seconds, so the whole query must finish before. */
const wholeMs = 4500;
const roundsMax = 2;
const headerBytes = 12;
const replyBytesMax = 65_535;

/** The first reply from any server; undefined if none answers in time. Never rejects. */
export async function queryDns({
  servers,
  message,
  signal,
}: QueryOptions): Promise<Buffer | undefined> {
  const limit = AbortSignal.timeout(wholeMs);
  const whole = signal ? AbortSignal.any([signal, limit]) : limit;
  for (let round = 0; round < roundsMax; round += 1) {
    for (const server of servers) {
      if (whole.aborted) return undefined;
      const question = Buffer.from(message);
      question.writeUInt16BE(randomInt(65_536), 0);
      const place = parseEndpoint(server);
      const attempt = AbortSignal.any([whole, AbortSignal.timeout(tryMs)]);
      const reply = await queryUdp(place, question, attempt);
      if (!reply) continue;
      if ((reply.readUInt8(2) & 0x02) === 0) return reply;
      return (
        (await queryTcp(place, question, AbortSignal.any([whole, AbortSignal.timeout(tryMs)]))) ??
        reply
      );
    }
  }
  return undefined;
}

/** The servers in a resolv.conf(5), reread when the file has changed. */
export function systemServers(path = '/etc/resolv.conf'): () => readonly string[] {
  let known: { readonly changedMs: number; readonly servers: readonly string[] } | undefined;
  return () => {
    try {
      const { mtimeMs } = statSync(path);
      if (known?.changedMs !== mtimeMs) {
        const lines = readFileSync(path, 'utf8').split('\n');
        known = {
          changedMs: mtimeMs,
          servers: lines.flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []),
        };
      }
      return known.servers;
    } catch {
      // No file: the default of resolv.conf(5).
      return ['127.0.0.1'];
    }
  };
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

function parseEndpoint(server: string): Endpoint {
  const [, address, port] = /^(\d+\.\d+\.\d+\.\d+):(\d{1,5})$/.exec(server) ?? [];
  return address === undefined ? { address: server, port: 53 } : { address, port: Number(port) };
}

/** One socket per query, for a random port in addition to the random id; connected, so that only that server can reply. */
function queryUdp(
  { address, port }: Endpoint,
  question: Buffer,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    let ended = false;
    const end = (reply?: Buffer) => {
      if (ended) return;
      ended = true;
      signal.removeEventListener('abort', stop);
      socket.close();
      resolve(reply);
    };
    const stop = () => end();
    signal.addEventListener('abort', stop, { once: true });
    socket.once('error', stop);
    socket.on('message', (reply) => {
      // Anything else may be forged; the real reply may still come.
      if (isReplyTo(reply, question)) end(reply);
    });
    // Unreachable: the next server is tried at once.
    const connected = (error?: Error) => {
      if (error) end();
      else if (!ended) socket.send(question, () => undefined);
    };
    try {
      socket.connect(port, address, connected);
    } catch {
      // An invalid port.
      end();
    }
  });
}

function queryTcp(
  { address, port }: Endpoint,
  question: Buffer,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, signal });
    let pending: Buffer = Buffer.alloc(0);
    const end = (reply?: Buffer) => {
      socket.destroy();
      resolve(reply);
    };
    socket.once('error', () => end());
    socket.once('close', () => end());
    socket.once('connect', () => socket.write(frameMessage(question)));
    socket.on('data', (part: Buffer) => {
      pending = Buffer.concat([pending, part]);
      if (pending.length > replyBytesMax + 2) return end();
      const bytes = pending.length < 2 ? replyBytesMax : pending.readUInt16BE(0);
      if (pending.length < 2 + bytes) return;
      const reply = pending.subarray(2, 2 + bytes);
      end(isReplyTo(reply, question) ? reply : undefined);
    });
  });
}

/** A response with the same id and the same question, ignoring case. */
function isReplyTo(reply: Buffer, question: Buffer): boolean {
  const end = questionEnd(question);
  if (
    reply.length < end ||
    (reply.readUInt8(2) & 0x80) === 0 ||
    reply.readUInt16BE(0) !== question.readUInt16BE(0)
  )
    return false;
  if (reply.readUInt16BE(4) !== 1) return false;
  return (
    reply.toString('latin1', headerBytes, end).toLowerCase() ===
    question.toString('latin1', headerBytes, end).toLowerCase()
  );
}

/** Our query is never compressed: labels up to the empty one, then type and class. */
function questionEnd(message: Buffer): number {
  let at = headerBytes;
  while (at < message.length && message.readUInt8(at) !== 0) at += 1 + message.readUInt8(at);
  return at + 5;
}
