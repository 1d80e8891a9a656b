// Searches for a secret from outside during a whole session: in the processes that any host account can see,
// and in the events that Incus sends to every listener.
import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import type { Incus } from '../../src/incus/client.ts';
import type { TestUser } from './users.ts';

export interface Sighting {
  readonly where: 'cmdline' | 'environ' | 'event' | 'api';
  /** Pid, for the first two. */
  readonly pid?: number;
  /** The command line or event. */
  readonly text: string;
}

export interface HostWatch {
  /** Resolves when the watch is complete up to now: scans once more, including the API, and returns all sightings. */
  sightings(): Promise<Sighting[]>;
  stop(): Promise<void>;
}

const watcher = fileURLToPath(new URL('./watch-processes.ts', import.meta.url));
const apiPaths = [
  '/1.0/instances?recursion=2',
  '/1.0/operations?recursion=1',
  '/1.0/networks?recursion=1',
];

/** Starts watching for the secrets as `outsider`, an unprivileged account; resolves when both watchers run. */
export async function watchHost(
  incus: Incus,
  outsider: TestUser,
  secrets: readonly string[],
): Promise<HostWatch> {
  const seen: Sighting[] = [];
  const processes = await watchProcesses(outsider, secrets, (sighting) => seen.push(sighting));
  const events = await watchEvents(incus.socketPath, secrets, (sighting) => seen.push(sighting));
  return {
    sightings: async () => {
      await processes.scanned();
      for (const path of apiPaths) {
        const text = await rawGet(incus.socketPath, path);
        if (secrets.some((secret) => text.includes(secret)))
          seen.push({ where: 'api', text: path });
      }
      return [...seen];
    },
    stop: async () => {
      events.terminate();
      await processes.stop();
    },
  };
}

async function watchProcesses(
  outsider: TestUser,
  secrets: readonly string[],
  report: (sighting: Sighting) => void,
) {
  const [file = '', ...args] = outsider.argv([process.execPath, watcher]);
  const child = spawn(file, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...outsider.env },
    cwd: '/',
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const waiting: (() => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'scanned') waiting.shift()?.();
    else report(JSON.parse(line) as Sighting);
  });
  const scanned = () =>
    Promise.race([
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        child.stdin.write('scan\n');
      }),
      ended.then(() => Promise.reject(new Error('the watcher of processes ended'))),
    ]);
  // Sent through stdin, so that the watcher does not find itself.
  child.stdin.write(`${JSON.stringify(secrets)}\n`);
  await scanned();
  return {
    scanned,
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

async function watchEvents(
  socketPath: string,
  secrets: readonly string[],
  report: (sighting: Sighting) => void,
): Promise<WebSocket> {
  const socket = new WebSocket(
    `ws+unix:${socketPath}:/1.0/events?type=lifecycle,operation,logging&all-projects=true`,
  );
  socket.on('message', (data: Buffer) => {
    const text = data.toString();
    if (secrets.some((secret) => text.includes(secret))) report({ where: 'event', text });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

function rawGet(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () => resolve(Buffer.concat(chunks).toString()));
      reply.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}
