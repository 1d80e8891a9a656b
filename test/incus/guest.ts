// A container of an image without coid and its mounts, for claims about the image's content.
import type { Incus } from '../../src/incus/client.ts';
import type { Config, Device } from '../../src/incus/shapes.ts';
import { openRealIncus, removeInstance } from '../bed/incus.ts';
import { newPrefix } from '../bed/prefix.ts';

export interface Guest extends AsyncDisposable {
  readonly incus: Incus;
  readonly name: string;
  /** Runs a shell script as root or as the agent's user; returns both outputs together, trimmed. Rejects if it fails. */
  root(script: string): Promise<string>;
  code(script: string): Promise<string>;
  /** Waits until systemd has booted, and returns its state: `running` or `degraded`. */
  booted(): Promise<string>;
  /** Resolves when Incus reports that action, for example `instance-shutdown`; call it before causing it. */
  untilReported(action: string): Promise<void>;
}

/** Settings that coi uses for Docker, so that the claims apply to its sessions. */
const docker: Config = {
  'security.nesting': 'true',
  'security.syscalls.intercept.mknod': 'true',
  'security.syscalls.intercept.setxattr': 'true',
};

/** An unconnected NIC with an address that exists before init runs, as in coi's sessions. */
export const presetAddress = '192.0.2.5';
const presetNetwork: Config = {
  'raw.lxc': `lxc.net.0.ipv4.address = ${presetAddress}/24\nlxc.net.0.ipv4.gateway = 192.0.2.1`,
};

export async function startGuest(
  alias: string,
  { config = {}, nic }: { config?: Config; nic?: Device } = {},
): Promise<Guest> {
  const incus = await openRealIncus();
  const name = `${newPrefix()}guest`;
  const remove = async () => {
    await removeInstance(incus, name);
    incus.close();
  };
  try {
    const network = nic ? {} : presetNetwork;
    const operation = await incus.createInstance({
      name,
      type: 'container',
      start: true,
      profiles: ['default'],
      source: { type: 'image', alias },
      config: { ...docker, ...network, ...config },
      devices: { eth0: { type: 'nic', name: 'eth0', ...(nic ?? { nictype: 'p2p' }) } },
    });
    await operation.wait();
  } catch (error) {
    await remove();
    throw error;
  }
  const root = (script: string) => run(incus, name, script, 0);
  return {
    incus,
    name,
    root,
    code: (script) => run(incus, name, script, 1000),
    booted: () => root(bootWait),
    untilReported: (action) => untilReported(incus, name, action),
    [Symbol.asyncDispose]: remove,
  };
}

/** systemd opens that socket first; before that it cannot be queried. */
const bootWait = `for i in $(seq 200); do [ -S /run/systemd/private ] && break; sleep 0.05; done
systemctl is-system-running --wait || true`;

async function run(incus: Incus, name: string, script: string, uid: number): Promise<string> {
  const home = uid === 0 ? '/root' : '/home/code';
  const { status, stdout, stderr } = await incus.execCaptured(
    name,
    {
      command: ['sh', '-c', script],
      user: uid,
      group: uid,
      cwd: home,
      environment: { HOME: home, TERM: 'xterm-256color' },
    },
    { timeoutMs: 120_000 },
  );
  const result = Buffer.concat([stdout, stderr]).toString().trim();
  if (status !== 0) throw new Error(`status ${status}: ${script}\n${result}`);
  return result;
}

async function untilReported(incus: Incus, name: string, action: string): Promise<void> {
  const events = incus.events(['lifecycle']);
  try {
    for await (const event of events) {
      if (event.type !== 'lifecycle' || !event.metadata.source.endsWith(`/${name}`)) continue;
      if (event.metadata.action === action) return;
    }
  } finally {
    events.close();
  }
}
