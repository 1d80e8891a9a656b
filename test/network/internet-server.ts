// All servers of the simulated internet: run inside its network namespace, controlled over IPC.
import { createSocket } from 'node:dgram';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer } from 'node:net';
import { decode, encode, type Packet, streamDecode, streamEncode } from 'dns-packet';
import type { DnsZone, FromServer, ServerOptions, ToServer } from './internet-protocol.ts';

const zone = new Map<string, DnsZone>();
let delayMs = 0;
let silent = false;

function say(message: FromServer): void {
  process.send?.(message);
}

function answer(question: Packet, transport: string): Packet {
  const [queried] = question.questions ?? [];
  const name = queried?.name.toLowerCase() ?? '';
  const records = zone.get(name) ?? zone.get(`*.${name.split('.').slice(1).join('.')}`);
  say({ kind: 'question', name, type: queried?.type ?? '', transport });
  const answers = (records?.answers ?? []).filter(
    (one) => one.name !== name || one.type === queried?.type || one.type === 'CNAME',
  );
  const rotated = records?.rotate ? answers.splice(0, 1) : answers;
  if (records?.rotate && rotated[0]) records.answers = [...records.answers.slice(1), rotated[0]];
  const truncated = records?.truncate && transport === 'udp';
  return {
    id: question.id ?? 0,
    type: 'response',
    flags: 0x0180 | (records ? 0 : 3) | (truncated ? 0x0200 : 0),
    questions: question.questions ?? [],
    answers: truncated
      ? []
      : (rotated.map((one) => ({ ...one, name: one.name === '' ? name : one.name })) as NonNullable<
          Packet['answers']
        >),
  };
}

function listenDns(address: string): Promise<unknown>[] {
  const udp = createSocket('udp4');
  udp.on('message', (bytes, peer) => {
    const reply = encode(answer(decode(bytes), 'udp'));
    if (!silent) setTimeout(() => udp.send(reply, peer.port, peer.address), delayMs);
  });
  const tcp = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (!silent) socket.write(streamEncode(answer(streamDecode(bytes), 'tcp')));
    });
  });
  return [
    new Promise((ready) => udp.bind(53, address, () => ready(undefined))),
    new Promise((ready) => tcp.listen(53, address, () => ready(undefined))),
  ];
}

function listenUdp(address: string, port: number): Promise<unknown> {
  const udp = createSocket('udp4');
  udp.on('message', (bytes, peer) => {
    say({
      kind: 'arrived',
      protocol: 'udp',
      address,
      port,
      peer: peer.address,
      text: bytes.toString().slice(0, 100),
    });
    udp.send(bytes, peer.port, peer.address);
  });
  return new Promise((ready) => udp.bind(port, address, () => ready(undefined)));
}

function listenTcp(port: number): Promise<unknown> {
  const tcp = createServer((socket) => {
    say({
      kind: 'arrived',
      protocol: 'tcp',
      address: socket.localAddress ?? '',
      port,
      peer: socket.remoteAddress ?? '',
      text: '',
    });
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  return new Promise((ready) => tcp.listen(port, '0.0.0.0', () => ready(undefined)));
}

function listenFlows({ source, sink }: { source: number; sink: number }): Promise<unknown>[] {
  const part = Buffer.alloc(65_536);
  const sources = createServer((socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(part));
    };
    socket.on('drain', more);
    socket.on('error', () => undefined);
    more();
  });
  const sinks = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.resume();
  });
  return [
    new Promise((ready) => sources.listen(source, '0.0.0.0', () => ready(undefined))),
    new Promise((ready) => sinks.listen(sink, '0.0.0.0', () => ready(undefined))),
  ];
}

async function start({
  dns,
  udp,
  udpPorts,
  tcpPorts,
  certificate,
  key,
  files = {},
  flowPorts,
}: ServerOptions): Promise<void> {
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const { host } = request.headers;
    const path = new URL(request.url ?? '/', 'http://any').pathname;
    const file = files[`${host}${path}`];
    if (file !== undefined) return response.end(Buffer.from(file, 'base64'));
    // git and apt would treat a page in place of a file as a damaged file.
    if (Object.keys(files).some((known) => known.startsWith(`${host}/`))) response.statusCode = 404;
    const { localAddress } = request.socket;
    return response.end(JSON.stringify({ host, url: request.url, address: localAddress }));
  };
  const http = createHttp((request, response) => {
    say({
      kind: 'arrived',
      protocol: 'http',
      address: request.socket.localAddress ?? '',
      port: 80,
      peer: request.socket.remoteAddress ?? '',
      text: request.headers.host ?? '',
    });
    serve(request, response);
  });
  const https =
    certificate === undefined || key === undefined
      ? undefined
      : createHttps(
          { cert: certificate, key },
          (request, response) => void serve(request, response),
        );
  await Promise.all([
    ...dns.flatMap(listenDns),
    ...udp.flatMap((address) => udpPorts.map((port) => listenUdp(address, port))),
    ...tcpPorts.map(listenTcp),
    ...(flowPorts ? listenFlows(flowPorts) : []),
    new Promise((ready) => http.listen(80, '0.0.0.0', () => ready(undefined))),
    ...(https
      ? [new Promise((ready) => https.listen(443, '0.0.0.0', () => ready(undefined)))]
      : []),
  ]);
}

process.on('message', (message: ToServer) => {
  switch (message.kind) {
    case 'start':
      void start(message.options).then(() => say({ kind: 'ready' }));
      return;
    case 'zone':
      for (const [name, records] of Object.entries(message.zone)) zone.set(name, records);
      break;
    case 'behave':
      delayMs = message.delayMs;
      silent = message.silent;
      break;
    case 'report':
      break;
  }
  say({ kind: 'done', id: message.id });
});
process.on('disconnect', () => process.exit());
