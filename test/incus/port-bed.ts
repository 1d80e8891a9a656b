// Shared by port and ssh tests: sessions, host ports and servers behind them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { isPortFree } from '../../src/host/net/free-port.ts';
import type { Bed } from '../bed/bed.ts';
import type { CommandResult } from '../bed/command.ts';

export async function writeConfig(bed: Bed, text: string): Promise<void> {
  const directory = join(bed.user.home, '.coi');
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'config.toml'), text);
  await chown(directory, bed.user.uid, bed.user.gid);
}

export async function startSession(bed: Bed, ...more: string[]): Promise<string> {
  const before = await bed.instances();
  const result = await bed.coi(['shell', '--background', '--image', bed.image, ...more]);
  assert.equal(result.status, 0, result.stderr);
  const [name = ''] = (await bed.instances()).filter((one) => !before.includes(one));
  return name;
}

export async function listen(server: Server, port: number, host: string): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A free port. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0, '127.0.0.1');
  server.close();
  await once(server, 'close');
  return port;
}

/** Everything that a listener sends. */
export async function receive(port: number, address = '127.0.0.1'): Promise<string> {
  const socket = connect(port, address);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

/** Incus removes a listener shortly after it reports that the container has stopped. */
export async function untilFree(port: number): Promise<void> {
  for (;;) if (await isPortFree('127.0.0.1', port)) return;
}

export const assertRefused = (port: number, address?: string) =>
  assert.rejects(receive(port, address), { code: 'ECONNREFUSED' }, `${address} ${port}`);

/** A server inside that sends a message to each client until the session ends. */
export async function serve(bed: Bed, name: string, port: number, word: string): Promise<void> {
  const program = `
import socket
server = socket.create_server(('127.0.0.1', ${port}))
while True:
    one, _ = server.accept()
    one.sendall(b'${word}')
    one.close()`;
  const started = await bed.coi([
    ...['container', 'exec', name, '--', 'sh', '-c'],
    'setsid python3 -c "$1" >/dev/null 2>&1 </dev/null & until ss -ltn | grep -q ":$2 "; do sleep 0.05; done',
    'sh',
    program,
    String(port),
  ]);
  assert.equal(started.status, 0, started.stderr);
}

export function assertSucceeded(said: CommandResult): CommandResult {
  assert.equal(said.status, 0, said.stderr);
  return said;
}
