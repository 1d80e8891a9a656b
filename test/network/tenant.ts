// A container for network tests, with interface, MAC and address as coid would choose them, and an agent in its network.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { PolicyRecord } from '../../src/coid-api/network-protocol.ts';
import type { Incus } from '../../src/incus/client.ts';
import type { GuardedPort } from '../../src/network/guarded-port.ts';
import { defaultPolicy, networkPolicy } from '../../src/network/policy.ts';
import { testImage } from '../bed/bed.ts';
import { mustRun } from '../bed/command.ts';
import { removeInstance } from '../bed/incus.ts';
import type { AgentReply, AgentTask } from './agent-protocol.ts';

export const bridge = 'coibr0';
const limitMs = 20_000;

export interface Tenant {
  readonly name: string;
  readonly hostName: string;
  readonly mac: string;
  readonly address: string;
  readonly gateway: string;
  readonly bridgeMac: string;
  /** Pid of the container's init. */
  readonly pid: number;
  /** Guard settings for it. */
  port(policy: Partial<PolicyRecord>): GuardedPort;
  tcp(address: string, port: number): Promise<string>;
  udp(address: string, port: number, text?: string): Promise<string>;
  dns(
    name: string,
    options?: {
      server?: string;
      type?: string;
      transport?: 'udp' | 'tcp';
      edns?: boolean;
      limitMs?: number;
    },
  ): Promise<DnsResult>;
  task(task: AgentTask): Promise<unknown>;
  /** `ip` with the privileges of container root. */
  ip(...argv: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export interface DnsResult {
  readonly error?: string;
  readonly rcode: string;
  readonly answers: readonly string[];
  readonly explanations: readonly string[];
  readonly texts: readonly string[];
  readonly tookMs?: number;
}

export interface TenantOptions {
  readonly prefix: string;
  readonly config?: Readonly<Record<string, string>>;
  /** Called when name, MAC and address are known and nothing runs yet: coid sets the guard then. */
  readonly before?: (
    tenant: Pick<Tenant, 'hostName' | 'mac' | 'address' | 'gateway' | 'port'>,
  ) => Promise<void>;
}

export type NamespaceAgent = Pick<Tenant, 'tcp' | 'udp' | 'dns' | 'task'> & { stop(): void };

/** An agent in the network of a running container. */
export async function enter(incus: Incus, name: string, gateway: string): Promise<NamespaceAgent> {
  const { pid } = await incus.instanceState(name);
  return enterNamespace(`/proc/${pid}/ns/net`, gateway);
}

/** An agent in any network namespace, by its file. */
export async function enterNamespace(path: string, gateway: string): Promise<NamespaceAgent> {
  const agent = await startAgent(`-n${path}`);
  return { ...calls(agent, gateway), stop: agent.stop };
}

export async function startTenant(
  incus: Incus,
  { prefix, config = {}, before }: TenantOptions,
): Promise<Tenant> {
  const id = randomBytes(5).toString('hex');
  const { gateway, address } = await freeAddress(incus);
  const identity = {
    name: `${prefix}${id}`,
    hostName: `coi${id}`,
    mac: `10:66:6a:${id.slice(0, 2)}:${id.slice(2, 4)}:${id.slice(4, 6)}`,
    address,
    gateway,
  };
  const port = (policy: Partial<PolicyRecord>): GuardedPort => ({
    ...identity,
    bridge,
    policy: networkPolicy({ ...defaultPolicy(policy.mode ?? 'restricted'), ...policy }),
    permits: [],
  });
  await before?.({ ...identity, port });
  await create(incus, identity, config);
  try {
    const state = await incus.instanceState(identity.name);
    const agent = await startAgent(`-n/proc/${state.pid}/ns/net`);
    const { stdout } = await mustRun(['cat', `/sys/class/net/${bridge}/address`]);
    return {
      ...identity,
      bridgeMac: stdout.trim(),
      pid: state.pid,
      port,
      ...calls(agent, identity.gateway),
      ip: async (...argv) =>
        (await mustRun(['nsenter', '-t', String(state.pid), '-n', 'ip', ...argv])).stdout,
      close: async () => {
        agent.stop();
        await removeInstance(incus, identity.name);
      },
    };
  } catch (error) {
    await removeInstance(incus, identity.name);
    throw error;
  }
}

/** Tenants that start at the same time do not see each other yet. */
const drawn = new Set<string>();

/** A free address of the bridge's network outside its DHCP range. */
async function freeAddress(incus: Incus): Promise<{ gateway: string; address: string }> {
  const [instances, networks] = await Promise.all([incus.instances(), incus.networks()]);
  const gateway = networks
    .find(({ name }) => name === bridge)
    ?.config['ipv4.address']?.split('/')[0];
  if (gateway === undefined)
    throw new Error(`bridge ${bridge} does not exist: \`sudo ./coi setup --yes\` makes it`);
  const taken = new Set(
    instances.flatMap(({ expanded_devices }) =>
      Object.values(expanded_devices).map((device) => device['ipv4.address']),
    ),
  );
  const [a, b] = gateway.split('.');
  for (let tries = 0; tries < 1000; tries += 1) {
    const address = `${a}.${b}.2.${randomInt(110, 254)}`;
    if (taken.has(address) || drawn.has(address)) continue;
    drawn.add(address);
    return { gateway, address };
  }
  throw new Error('no address is free');
}

async function create(
  incus: Incus,
  {
    name,
    hostName,
    mac,
    address,
    gateway,
  }: Pick<Tenant, 'name' | 'hostName' | 'mac' | 'address' | 'gateway'>,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const operation = await incus.createInstance({
    name,
    type: 'container',
    start: true,
    source: { type: 'image', alias: testImage },
    config: {
      'boot.autostart': 'false',
      'raw.lxc': `lxc.net.0.ipv4.address = ${address}/22\nlxc.net.0.ipv4.gateway = ${gateway}`,
      ...config,
    },
    devices: {
      eth0: {
        type: 'nic',
        network: bridge,
        name: 'eth0',
        host_name: hostName,
        hwaddr: mac,
        'ipv4.address': address,
      },
    },
  });
  try {
    await operation.wait();
  } catch (error) {
    await removeInstance(incus, name);
    throw error;
  }
}

interface Agent {
  perform(task: AgentTask): Promise<unknown>;
  stop(): void;
}

async function startAgent(fixture: string): Promise<Agent> {
  const script = fileURLToPath(new URL('agent.ts', import.meta.url));
  const child: ChildProcess = spawn('nsenter', [fixture, process.execPath, script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  let next = 0;
  const reply = (id: number) =>
    new Promise<unknown>((resolve, reject) => void waiting.set(id, { resolve, reject }));
  child.on('message', ({ id, result, error }: AgentReply) => {
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(result);
    else one?.reject(new Error(error));
  });
  child.once('exit', () => {
    for (const one of waiting.values()) one.reject(new Error('the agent ended'));
  });
  await reply(0);
  return {
    perform: (task) => {
      next += 1;
      const limit = AbortSignal.timeout(limitMs);
      const id = next;
      limit.addEventListener('abort', () =>
        waiting.get(id)?.reject(new Error(`the agent did not do ${task.kind}`)),
      );
      const done = reply(id);
      child.send({ id, task });
      return done;
    },
    stop: () => void child.kill(),
  };
}

function calls(agent: Agent, gateway: string): Pick<Tenant, 'tcp' | 'udp' | 'dns' | 'task'> {
  return {
    task: (task) => agent.perform(task),
    tcp: async (address, port) => String(await agent.perform({ kind: 'tcp', address, port })),
    udp: async (address, port, text = 'hello') =>
      String(await agent.perform({ kind: 'udp', address, port, text, wait: true })),
    dns: async (
      name,
      { server = gateway, type = 'A', transport = 'udp', edns = true, limitMs: ms } = {},
    ) =>
      (await agent.perform({
        kind: 'dns',
        server,
        name,
        type,
        transport,
        edns,
        ...(ms !== undefined && { limitMs: ms }),
      })) as DnsResult,
  };
}
