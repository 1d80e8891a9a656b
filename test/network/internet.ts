// A simulated internet in a network namespace: traffic from the host to its addresses ends there and is recorded.
// Nothing is sent to an address until `ip route get` confirms that it ends in the namespace.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mustRun, runCommand } from '../bed/command.ts';
import type {
  Arrival,
  DnsZone,
  FromServer,
  Question,
  ServerOptions,
  ToServer,
} from './internet-protocol.ts';

/** Public-looking, private and metadata addresses, all in the namespace. */
export const namespaceAddresses = {
  public: [
    '8.8.8.8',
    '8.8.4.4',
    '1.1.1.1',
    '93.184.215.14',
    '104.16.1.1',
    '104.16.1.2',
    '104.16.1.3',
  ],
  private: ['10.99.9.9', '172.20.7.7', '192.168.77.7', '100.64.7.7'],
  metadata: ['169.254.169.254', '168.63.129.16', '100.100.100.200', '192.0.0.192'],
} as const;

export const resolver = '8.8.8.8';
export const udpPorts = [123, 443, 5000];
export const tcpPorts = [22, 853, 5000, 8443];
const every: readonly string[] = Object.values(namespaceAddresses).flat();
const waitMs = 10_000;
/** Alias of the host's end of the link, with the id of the process that made it. */
const ownerMark = 'coit internet of ';

export interface Internet {
  readonly namespace: string;
  /** The host's end of the link, and the far end. */
  readonly link: { readonly interface: string; readonly host: string; readonly far: string };
  /** What the servers received until now: their reports come on another way than their answers. */
  arrivals(): Promise<readonly Arrival[]>;
  questions(): Promise<readonly Question[]>;
  /** Resolves when a matching packet arrives or has arrived already. */
  arrival(fits: (arrival: Arrival) => boolean): Promise<Arrival>;
  /** Protocol numbers and names of all packets to that address, as counted by the namespace's kernel. */
  protocolsSeen(address: string): Promise<string[]>;
  zone(zone: Readonly<Record<string, DnsZone>>): Promise<void>;
  behave(options: { delayMs?: number; silent?: boolean }): Promise<void>;
  /** Runs a program inside. */
  run(argv: readonly string[]): ReturnType<typeof runCommand>;
  /** Throws unless the host's route to that address ends in the namespace. */
  assertEnclosed(address: string): Promise<void>;
  close(): Promise<void>;
}

export async function openInternet(options: Partial<ServerOptions> = {}): Promise<Internet> {
  const id = randomBytes(3).toString('hex');
  const namespace = `coit-${id}`;
  const [near, far] = [`cv${id}h`, `cv${id}n`];
  const block = (randomBytes(1)[0] ?? 0) & 0xfc;
  const link = { interface: near, host: `198.51.100.${block + 1}`, far: `198.51.100.${block + 2}` };
  await sweep();
  await build(namespace, near, far, link);
  const server = await startServer(namespace, options).catch(async (error: unknown) => {
    await removeNamespace(namespace, near);
    throw error;
  });
  const { arrivals, questions, waiting } = server;
  const reported = async <T>(all: readonly T[]): Promise<readonly T[]> => {
    await server.tell((id) => ({ kind: 'report', id }));
    return all;
  };
  return {
    namespace,
    link,
    arrivals: () => reported(arrivals),
    questions: () => reported(questions),
    arrival: (fits) => {
      const found = arrivals.find(fits);
      if (found) return Promise.resolve(found);
      return new Promise((resolve, reject) => {
        const limit = setTimeout(
          () =>
            reject(
              new Error(
                `nothing of that kind arrived; what did: ${JSON.stringify(arrivals.slice(-5))}`,
              ),
            ),
          waitMs,
        );
        const found = (arrival: Arrival) => {
          clearTimeout(limit);
          resolve(arrival);
        };
        waiting.push({ fits, resolve: found });
      });
    },
    protocolsSeen: async (address) => {
      const { stdout } = await mustRun([
        'ip',
        'netns',
        'exec',
        namespace,
        'nft',
        '-n',
        'list',
        'set',
        'inet',
        'seen',
        'packets',
      ]);
      return [...stdout.matchAll(/([\d.]+) \. (\w+)/g)]
        .filter(([, to]) => to === address)
        .map(([, , protocol]) => protocol ?? '');
    },
    zone: (zone) => server.tell((id) => ({ kind: 'zone', id, zone })),
    behave: ({ delayMs = 0, silent = false }) =>
      server.tell((id) => ({ kind: 'behave', id, delayMs, silent })),
    run: (argv) => runCommand(['ip', 'netns', 'exec', namespace, ...argv]),
    assertEnclosed: (address) => assertEnclosed(address, near),
    close: async () => {
      server.stop();
      await removeNamespace(namespace, near);
    },
  };
}

async function build(
  namespace: string,
  near: string,
  far: string,
  link: Internet['link'],
): Promise<void> {
  const inside = (...argv: string[]) => mustRun(['ip', '-n', namespace, ...argv]);
  await mustRun(['ip', 'netns', 'add', namespace]);
  try {
    await mustRun([
      'ip',
      'link',
      'add',
      near,
      'type',
      'veth',
      'peer',
      'name',
      far,
      'netns',
      namespace,
    ]);
    await mustRun(['ip', 'link', 'set', near, 'alias', `${ownerMark}${process.pid}`]);
    await mustRun(['ip', 'address', 'add', `${link.host}/30`, 'dev', near]);
    await mustRun(['ip', 'link', 'set', near, 'up']);
    await inside('address', 'add', `${link.far}/30`, 'dev', far);
    await inside('link', 'set', far, 'up');
    await inside('link', 'set', 'lo', 'up');
    await inside('route', 'add', 'default', 'via', link.host);
    for (const address of every) {
      await inside('address', 'add', `${address}/32`, 'dev', 'lo');
      await mustRun(['ip', 'route', 'add', `${address}/32`, 'via', link.far, 'dev', near]);
      await assertEnclosed(address, near);
    }
    const rules = [
      'add table inet seen',
      'add set inet seen packets { type ipv4_addr . inet_proto; flags dynamic; size 65535; }',
      'add chain inet seen in { type filter hook prerouting priority -300; }',
      'add rule inet seen in iifname != "lo" update @packets { ip daddr . meta l4proto }',
    ].join('; ');
    await mustRun(['ip', 'netns', 'exec', namespace, 'nft', rules]);
  } catch (error) {
    await removeNamespace(namespace, near);
    throw error;
  }
}

/** Leftovers of killed test runs: their routes would lead nowhere. */
async function sweep(): Promise<void> {
  const { stdout } = await mustRun(['ip', '-j', 'link', 'show']);
  for (const { ifname, ifalias } of JSON.parse(stdout) as { ifname: string; ifalias?: string }[]) {
    if (!ifalias?.startsWith(ownerMark)) continue;
    const isAlive = existsSync(`/proc/${Number(ifalias.slice(ownerMark.length))}`);
    if (!isAlive) await removeNamespace(`coit-${ifname.slice(2, 8)}`, ifname);
  }
}

async function removeNamespace(namespace: string, near: string): Promise<void> {
  // The routes disappear with the link.
  await runCommand(['ip', 'link', 'delete', near]);
  await runCommand(['ip', 'netns', 'delete', namespace]);
}

async function assertEnclosed(address: string, near: string): Promise<void> {
  const { stdout } = await mustRun(['ip', '-o', 'route', 'get', address]);
  if (!stdout.includes(` dev ${near} `))
    throw new Error(`${address} is not in the simulated internet: ${stdout.trim()}`);
}

interface Waiting {
  readonly fits: (arrival: Arrival) => boolean;
  readonly resolve: (arrival: Arrival) => void;
}

async function startServer(namespace: string, options: Partial<ServerOptions>) {
  const script = fileURLToPath(new URL('internet-server.ts', import.meta.url));
  const child: ChildProcess = spawn('ip', ['netns', 'exec', namespace, process.execPath, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const arrivals: Arrival[] = [];
  const questions: Question[] = [];
  const waiting: Waiting[] = [];
  const done = new Map<number, () => void>();
  let next = 0;
  const ready = new Promise<void>((resolve, reject) => {
    child.once('exit', (status) =>
      reject(new Error(`the server of the simulated internet ended with ${status}`)),
    );
    child.on('message', (message: FromServer) => {
      if (message.kind === 'ready') resolve();
      else if (message.kind === 'done') done.get(message.id)?.();
      else if (message.kind === 'question') questions.push(message);
      else {
        arrivals.push(message);
        for (const one of waiting.filter(({ fits }) => fits(message))) {
          waiting.splice(waiting.indexOf(one), 1);
          one.resolve(message);
        }
      }
    });
  });
  const send = (message: ToServer) => void child.send(message);
  send({
    kind: 'start',
    options: { dns: [resolver, '1.1.1.1'], udp: every, udpPorts, tcpPorts, ...options },
  });
  await ready;
  return {
    arrivals,
    questions,
    waiting,
    tell: (make: (id: number) => ToServer) => {
      next += 1;
      const id = next;
      return new Promise<void>((resolve) => {
        done.set(id, resolve);
        send(make(id));
      });
    },
    stop: () => void child.kill(),
  };
}
