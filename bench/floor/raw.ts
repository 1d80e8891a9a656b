// Bare calls of the Incus REST API for the floors: node:http and ws, no code of coi.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

const socketPath = process.env['INCUS_SOCKET'] ?? '/var/lib/incus/unix.socket';

export interface Operation {
  id: string;
  status_code: number;
  err: string;
  metadata: { fds?: Record<string, string>; return?: number } | null;
}

interface Envelope {
  type: 'sync' | 'async' | 'error';
  error?: string;
  metadata: unknown;
}

/** Sends a request; returns the envelope's metadata (for an asynchronous one, the operation). */
export async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest(
      { socketPath, method, path, headers: { 'content-type': 'application/json' } },
      resolve,
    );
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk as Buffer);
  const envelope = JSON.parse(Buffer.concat(chunks).toString()) as Envelope;
  if (envelope.type === 'error') throw new Error(`${method} ${path}: ${envelope.error}`);
  return envelope.metadata;
}

/** Sends an asynchronous request and waits for its operation. */
export async function callAndWait(
  method: string,
  path: string,
  body?: unknown,
): Promise<Operation> {
  const { id } = (await call(method, path, body)) as Operation;
  const done = (await call('GET', `/1.0/operations/${id}/wait?timeout=60`)) as Operation;
  if (done.status_code !== 200) throw new Error(`${method} ${path}: ${done.err}`);
  return done;
}

export interface Exec {
  /** Bytes of the terminal, both ways. */
  readonly terminal: WebSocket;
  readonly control: WebSocket;
}

/** A command on a terminal in the instance, as the agent's user. */
export async function execTerminal(name: string, command: readonly string[]): Promise<Exec> {
  const { id, metadata } = (await call('POST', `/1.0/instances/${name}/exec`, {
    command,
    environment: { HOME: '/home/code', USER: 'code', TERM: 'xterm-256color', LANG: 'C.UTF-8' },
    user: 1000,
    group: 1000,
    cwd: '/workspace',
    interactive: true,
    'wait-for-websocket': true,
    width: process.stdout.columns ?? 80,
    height: process.stdout.rows ?? 24,
  })) as Operation;
  const secrets = metadata?.fds ?? {};
  const open = (secret: string | undefined) =>
    new WebSocket(`ws+unix:${socketPath}:/1.0/operations/${id}/websocket?secret=${secret}`);
  return { control: open(secrets['control']), terminal: open(secrets['0']) };
}

/** Connects a terminal to stdin and stdout until it is closed. */
export function pipeTerminal({ terminal, control }: Exec): Promise<void> {
  if (process.stdin.isTTY) process.stdin.setRawMode(true);
  process.stdin.on('data', (data) => terminal.send(data));
  return new Promise((resolve, reject) => {
    terminal.on('error', reject);
    terminal.on('close', () =>
      reject(new Error('Incus closed the terminal without an end of output')),
    );
    terminal.on('message', (data: Buffer, isBinary) => {
      if (isBinary) {
        process.stdout.write(data);
        return;
      }
      // An empty text frame is the end of the output.
      terminal.close();
      control.close();
      process.stdin.pause();
      resolve();
    });
  });
}

/** Runs a command without a terminal or streams, and waits for its end. */
export async function execSilently(name: string, command: readonly string[]): Promise<number> {
  const done = await callAndWait('POST', `/1.0/instances/${name}/exec`, {
    command,
    environment: { HOME: '/home/code', USER: 'code', TERM: 'xterm-256color', LANG: 'C.UTF-8' },
    user: 1000,
    group: 1000,
    cwd: '/workspace',
    interactive: false,
    'wait-for-websocket': false,
  });
  return done.metadata?.return ?? -1;
}
