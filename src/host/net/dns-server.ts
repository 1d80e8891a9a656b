// A DNS server over UDP and TCP on one address and port. It does not interpret the messages. Source: RFC 1035, RFC 7766.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';

export interface DnsServer {
  close(): void;
}

/** The reply to a message, or undefined to send none. Must not reject. */
export type DnsHandler = (
  message: Buffer,
  from: string,
  transport: 'udp' | 'tcp',
) => Promise<Buffer | undefined>;

const connectionsMax = 256;
const connectionsPerPeerMax = 8;
const idleMs = 10_000;
const questionBytesMax = 4096;
const questionsPerConnectionMax = 100;

/** Listens on both. Rejects with the system error. */
export async function serveDns({
  address,
  port,
  answer,
}: {
  address: string;
  port: number;
  answer: DnsHandler;
}): Promise<DnsServer> {
  const udp = createSocket('udp4');
  udp.on('message', (message, { address: from, port: fromPort }) => {
    void answer(message, from, 'udp').then(
      (reply) => {
        // Errors of single datagrams (the client is gone) are ignored.
        if (reply) udp.send(reply, fromPort, from, () => undefined);
        // Without a reply, the client retries.
      },
      () => undefined,
    );
  });
  const tcp = tcpServer(answer);
  try {
    await listen(udp, tcp, address, port);
  } catch (error) {
    udp.close();
    tcp.close();
    throw error;
  }
  udp.on('error', () => undefined);
  tcp.on('error', () => undefined);
  return {
    close: () => {
      udp.close();
      tcp.close();
    },
  };
}

async function listen(udp: UdpSocket, tcp: Server, address: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject);
    udp.bind(port, address, resolve);
  });
  await new Promise<void>((resolve, reject) => {
    tcp.once('error', reject);
    tcp.listen(port, address, resolve);
  });
}

function tcpServer(answer: DnsHandler): Server {
  const open = new Map<string, number>();
  const server = createServer((socket) => {
    const from = socket.remoteAddress ?? '';
    const count = (open.get(from) ?? 0) + 1;
    if (count > connectionsPerPeerMax) return void socket.destroy();
    open.set(from, count);
    socket.once('close', () => {
      const left = (open.get(from) ?? 1) - 1;
      if (left > 0) open.set(from, left);
      else open.delete(from);
    });
    // An error affects only its own connection.
    socket.on('error', () => undefined);
    socket.setTimeout(idleMs, () => socket.destroy());
    void serveConnection(socket, from, answer).catch(() => socket.destroy());
  });
  server.maxConnections = connectionsMax;
  return server;
}

/** Handles messages one at a time, each prefixed by a two-byte length. */
async function serveConnection(socket: Socket, from: string, answer: DnsHandler): Promise<void> {
  let pending: Buffer = Buffer.alloc(0);
  let left = questionsPerConnectionMax;
  for await (const part of socket as AsyncIterable<Buffer>) {
    pending = Buffer.concat([pending, part]);
    while (pending.length >= 2) {
      const bytes = pending.readUInt16BE(0);
      if (bytes > questionBytesMax || left === 0) return void socket.destroy();
      if (pending.length < 2 + bytes) break;
      const reply = await answer(pending.subarray(2, 2 + bytes), from, 'tcp');
      pending = pending.subarray(2 + bytes);
      left -= 1;
      if (!reply) return void socket.destroy();
      socket.write(frameMessage(reply));
    }
  }
}

export function frameMessage(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
