// A network inside a container's network, as Docker makes one: a veth without a bridge, forwarding, and masquerading.
import { randomBytes } from 'node:crypto';
import { mustRun, runCommand } from '../bed/command.ts';
import { enterNamespace, type NamespaceAgent } from './tenant.ts';

export interface NestedNetwork {
  readonly inside: NamespaceAgent;
  close(): Promise<void>;
}

const addresses = { outer: '172.29.0.1', inner: '172.29.0.2' };

/** `pid` is a process in the container's network. */
export async function makeNestedNetwork(pid: number, gateway: string): Promise<NestedNetwork> {
  const namespace = `coit-${randomBytes(3).toString('hex')}`;
  const outer = (...argv: string[]) => mustRun(['nsenter', '-t', String(pid), '-n', ...argv]);
  const inner = (...argv: string[]) => mustRun(['ip', '-n', namespace, ...argv]);
  await mustRun(['ip', 'netns', 'add', namespace]);
  // The other end of its veth disappears with it.
  const remove = async () => void (await runCommand(['ip', 'netns', 'delete', namespace]));
  try {
    const veth = ['link', 'add', 'nested0', 'type', 'veth', 'peer', 'name', 'eth0'];
    await outer('ip', ...veth, 'netns', namespace);
    await outer('ip', 'address', 'add', `${addresses.outer}/24`, 'dev', 'nested0');
    await outer('ip', 'link', 'set', 'nested0', 'up');
    await inner('address', 'add', `${addresses.inner}/24`, 'dev', 'eth0');
    await inner('link', 'set', 'eth0', 'up');
    await inner('route', 'add', 'default', 'via', addresses.outer);
    await outer('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
    const masquerade =
      'add table ip nested; add chain ip nested out { type nat hook postrouting priority 100; }; add rule ip nested out oifname "eth0" masquerade';
    await outer('nft', masquerade);
    const inside = await enterNamespace(`/run/netns/${namespace}`, gateway);
    return {
      inside,
      close: async () => {
        inside.stop();
        await outer('nft', 'delete table ip nested');
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
