// DNS over UDP and TCP on one address and port: messages in, messages out. What they mean is not known here. Source: RFC 1035, RFC 7766.
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';

export interface DnsServer {
  close(): void;
}

/** The reply to a message, or undefined for silence. Must not reject. */
export type AnswerDns = (
  message: Buffer,
  from: string,
  transport: 'udp' | 'tcp',
) => Promise<Buffer | undefined>;

const connectionsMax = 256;
const connectionsPerPeerMax = 8;
const idleMs = 10_000;
const questionBytesMax = 4096;
const questionsPerConnectionMax = 100;

/** Listens on both. Rejects with the system's error if it cannot. */
export async function serveDns({
  address,
  port,
  answer,
}: {
  address: string;
  port: number;
  answer: AnswerDns;
}): Promise<DnsServer> {
  const udp = createSocket('udp4');
  udp.on('message', (message, { address: from, port: fromPort }) => {
    void answer(message, from, 'udp').then(
      (reply) => {
        // Errors of single datagrams (a client that is gone) concern nobody.
        if (reply) udp.send(reply, fromPort, from, () => undefined);
        // A question that could not be answered is asked again by whoever asked it.
      },
      () => undefined,
    );
  });
  const tcp = tcpServer(answer);
  try {
    await listening(udp, tcp, address, port);
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

async function listening(
  udp: UdpSocket,
  tcp: Server,
  address: string,
  port: number,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    udp.once('error', reject);
    udp.bind(port, address, resolve);
  });
  await new Promise<void>((resolve, reject) => {
    tcp.once('error', reject);
    tcp.listen(port, address, resolve);
  });
}

function tcpServer(answer: AnswerDns): Server {
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
    // Whatever breaks a connection breaks only that one.
    socket.on('error', () => undefined);
    socket.setTimeout(idleMs, () => socket.destroy());
    void converse(socket, from, answer).catch(() => socket.destroy());
  });
  server.maxConnections = connectionsMax;
  return server;
}

/** One message after the other, each with its length in two bytes before it. */
async function converse(socket: Socket, from: string, answer: AnswerDns): Promise<void> {
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
      socket.write(framed(reply));
    }
  }
}

export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
