// The hostile tenant: runs in a container's network namespace with all privileges there, controlled by the tests over IPC.
import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import { decode, encode, type Packet, streamDecode, streamEncode } from 'dns-packet';
import koffi from 'koffi';
import { http, relay, viaRelay } from './agent-http.ts';
import type { AgentReply, AgentTask } from './agent-protocol.ts';

const c = koffi.load(null);
const socket = c.func('int socket(int domain, int type, int protocol)');
const bind = c.func('int bind(int fd, void *address, uint32 length)');
const send = c.func('long send(int fd, void *data, size_t length, int flags)');
const sendto = c.func(
  'long sendto(int fd, void *data, size_t length, int flags, void *address, uint32 addressLength)',
);
const recv = c.func('long recv(int fd, _Out_ uint8_t *data, size_t length, int flags)');
const ifIndex = c.func('uint32 if_nametoindex(const char *name)');

const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_RAW = 3;
const ETH_P_ALL = 3;
const MSG_DONTWAIT = 0x40;
const answerMs = 1500;

/** A raw socket on an interface: whole Ethernet frames in both directions. */
function frames(name: string): number {
  const fd = socket(AF_PACKET, SOCK_RAW, ETH_P_ALL << 8);
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  address.writeUInt16BE(ETH_P_ALL, 2);
  address.writeInt32LE(ifIndex(name), 4);
  if (fd < 0 || bind(fd, address, address.length) < 0)
    throw new Error(`no raw socket on ${name}: errno ${koffi.errno()}`);
  return fd;
}

const open = new Map<string, number>();
const received: { text: string; from: string; port: number }[] = [];
const listening: Socket[] = [];

function frameSocket(name: string): number {
  const fd = open.get(name) ?? frames(name);
  open.set(name, fd);
  return fd;
}

async function perform(task: AgentTask): Promise<unknown> {
  switch (task.kind) {
    case 'tcp':
      return tcp(task.address, task.port);
    case 'udp':
      return udp(task.address, task.port, task.text, task.wait);
    case 'raw-ip':
      return rawIp(task.address, task.protocol, Buffer.from(task.payload, 'hex'));
    case 'frame':
      return Number(
        send(frameSocket(task.interface), Buffer.from(task.hex, 'hex'), task.hex.length / 2, 0),
      );
    case 'sniff':
      frameSocket(task.interface);
      return true;
    case 'sniffed':
      return drain(frameSocket(task.interface));
    case 'listen':
      return listen(task.port);
    case 'http':
      return http(task.address, task.port, task.host);
    case 'relay':
      return relay(task.port);
    case 'through':
      return viaRelay(task.address, task.port, task.target);
    case 'heard':
      return received.splice(0);
    case 'load':
      return load(task.address, task.port, task.ms);
    case 'unload':
      return upload(task.address, task.port, task.ms);
    case 'dns':
      return task.transport === 'tcp' ? dnsTcp(task) : dnsUdp(task);
  }
}

function tcp(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const connection = connect({ host: address, port });
    const end = (result: string) => {
      connection.destroy();
      resolve(result);
    };
    connection.setTimeout(answerMs, () => end('ETIMEDOUT'));
    connection.once('connect', () => end('open'));
    connection.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EUNKNOWN'));
  });
}

function udp(address: string, port: number, text: string, wait: boolean): Promise<string> {
  return new Promise((resolve) => {
    const connection = createSocket('udp4');
    const end = (result: string) => {
      clearTimeout(limit);
      connection.close();
      resolve(result);
    };
    const limit = setTimeout(() => end('ETIMEDOUT'), answerMs);
    connection.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'EUNKNOWN'));
    connection.once('message', () => end('answered'));
    connection.connect(port, address, (error?: Error) => {
      if (error) return;
      connection.send(text, (failed) => {
        if (failed) end((failed as NodeJS.ErrnoException).code ?? 'EUNKNOWN');
        else if (!wait) end('sent');
      });
    });
  });
}

function rawIp(address: string, protocol: number, payload: Buffer): number {
  const fd = socket(AF_INET, SOCK_RAW, protocol);
  const to = Buffer.alloc(16);
  to.writeUInt16LE(AF_INET, 0);
  address.split('.').forEach((byte, index) => void to.writeUInt8(Number(byte), 4 + index));
  return Number(sendto(fd, payload, payload.length, 0, to, to.length));
}

function drain(fd: number): string[] {
  const all: string[] = [];
  for (;;) {
    const buffer = Buffer.alloc(2048);
    const bytes = Number(recv(fd, buffer, buffer.length, MSG_DONTWAIT));
    if (bytes <= 0) return all;
    all.push(buffer.subarray(0, bytes).toString('hex'));
  }
}

function listen(port: number): Promise<boolean> {
  const server = createSocket({ type: 'udp4', reuseAddr: true });
  listening.push(server);
  server.on(
    'message',
    (bytes, peer) => void received.push({ text: bytes.toString(), from: peer.address, port }),
  );
  return new Promise((resolve) => server.bind(port, () => resolve(true)));
}

function load(address: string, port: number, ms: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const connection = connect({ host: address, port });
    let bytes = 0;
    connection.on('data', (part) => {
      bytes += part.length;
    });
    connection.once('error', reject);
    connection.once('close', () => resolve(bytes));
    setTimeout(() => connection.destroy(), ms);
  });
}

function upload(address: string, port: number, ms: number): Promise<number> {
  const part = Buffer.alloc(65_536);
  return new Promise((resolve, reject) => {
    const connection = connect({ host: address, port });
    const endMs = performance.now() + ms;
    let bytes = 0;
    const more = () => {
      while (performance.now() < endMs) {
        bytes += part.length;
        if (!connection.write(part)) return;
      }
      connection.end();
    };
    connection.on('drain', more);
    connection.once('connect', more);
    connection.once('error', reject);
    // The peer closes the connection once it has everything.
    connection.once('close', () => resolve(bytes));
    connection.resume();
  });
}

type DnsTask = AgentTask & { readonly kind: 'dns' };

function question(task: DnsTask): Packet {
  const questions = [{ name: task.name, type: task.type, class: 'IN' }] as NonNullable<
    Packet['questions']
  >;
  const additionals = task.edns
    ? ([
        { type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, options: [] },
      ] as unknown as NonNullable<Packet['additionals']>)
    : [];
  return {
    id: Math.floor(Math.random() * 65_536),
    type: 'query',
    flags: 0x0100,
    questions,
    additionals,
  };
}

function dnsUdp(task: DnsTask): Promise<unknown> {
  const query = question(task);
  const started = performance.now();
  return new Promise((resolve) => {
    const connection = createSocket('udp4');
    const end = (result: unknown) => {
      clearTimeout(limit);
      connection.close();
      resolve(result);
    };
    const limit = setTimeout(() => end({ error: 'ETIMEDOUT' }), task.limitMs ?? answerMs);
    connection.once('error', (error: NodeJS.ErrnoException) => end({ error: error.code }));
    connection.once('message', (bytes) =>
      end({ ...summary(decode(bytes)), tookMs: performance.now() - started, bytes: bytes.length }),
    );
    connection.connect(task.port ?? 53, task.server, (error?: Error) => {
      if (!error) connection.send(encode(query));
    });
  });
}

function dnsTcp(task: DnsTask): Promise<unknown> {
  return new Promise((resolve) => {
    const connection = connect({ host: task.server, port: task.port ?? 53 });
    const end = (result: unknown) => {
      connection.destroy();
      resolve(result);
    };
    connection.setTimeout(task.limitMs ?? answerMs, () => end({ error: 'ETIMEDOUT' }));
    connection.once('error', (error: NodeJS.ErrnoException) => resolve({ error: error.code }));
    connection.once('connect', () => connection.write(streamEncode(question(task))));
    connection.once('data', (bytes) => end(summary(streamDecode(bytes))));
  });
}

function summary(packet: Packet & { rcode?: string }): object {
  const options = (packet.additionals ?? []).flatMap((one) =>
    one.type === 'OPT' ? one.options : [],
  ) as unknown as { code: number; data?: Buffer }[];
  return {
    rcode: packet.rcode,
    answers: (packet.answers ?? []).map((one) =>
      'data' in one
        ? `${one.name} ${one.type} ${String(one.data)} ${'ttl' in one ? one.ttl : ''}`
        : '',
    ),
    explanations: options
      .filter(({ code }) => code === 15)
      .map(({ data }) => data?.subarray(2).toString() ?? ''),
    texts: [...(packet.answers ?? []), ...(packet.additionals ?? [])].flatMap((one) =>
      one.type === 'TXT' ? [String(one.data)] : [],
    ),
  };
}

process.on('message', ({ id, task }: { id: number; task: AgentTask }) => {
  perform(task).then(
    (result) => process.send?.({ id, result } satisfies AgentReply),
    (error: unknown) => process.send?.({ id, error: String(error) } satisfies AgentReply),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0, result: 'ready' } satisfies AgentReply);
