// Shared by most network tests: a simulated internet, a guard with separate tables, and tenants that are swept at the end.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { AddressRange } from '../../src/addresses/ipv4.ts';
import type { PolicyRecord } from '../../src/coid-api/network-protocol.ts';
import { openNft } from '../../src/host/net/nft.ts';
import { openElementWriter } from '../../src/host/net/nft-netlink.ts';
import { Guard } from '../../src/network/guard.ts';
import { openRealIncus } from '../bed/incus.ts';
import { newPrefix } from '../bed/prefix.ts';
import { sweepInstances } from '../bed/sweep.ts';
import { type Internet, openInternet } from './internet.ts';
import type { ServerOptions } from './internet-protocol.ts';
import { startTenant, type Tenant, type TenantOptions } from './tenant.ts';

export interface NetworkBed {
  readonly net: Internet;
  readonly guard: Guard;
  readonly table: string;
  readonly dnsPort: number;
  tenant(options?: Omit<TenantOptions, 'prefix'>): Promise<Tenant>;
  /** Runs the probe without the guard and with it. */
  pair<T>(
    tenant: Tenant,
    policy: Partial<PolicyRecord>,
    probe: () => Promise<T>,
  ): Promise<{ off: T; on: T }>;
  close(): Promise<void>;
}

export async function openNetworkBed(
  options: {
    attached?: (net: Internet) => readonly AddressRange[];
    internet?: Partial<ServerOptions>;
  } = {},
): Promise<NetworkBed> {
  const prefix = newPrefix();
  const [table, dnsPort] = [
    `coit_${prefix.slice(5, 11)}`,
    30_000 + (Number.parseInt(prefix.slice(5, 11), 16) % 10_000),
  ];
  const incus = await openRealIncus();
  const net = await openInternet(options.internet);
  const attached = options.attached?.(net) ?? [];
  const elements = await openElementWriter();
  const guard = new Guard({
    nft: openNft(),
    elements,
    table,
    dnsPort,
    attached: () => attached,
    elapsedMs: () => performance.now(),
    onRepaired: () => undefined,
  });
  await guard.start([]);
  const tenants: Tenant[] = [];
  return {
    ...{ net, guard, table, dnsPort },
    tenant: async (more = {}) => {
      const tenant = await startTenant(incus, { prefix, ...more });
      tenants.push(tenant);
      return tenant;
    },
    pair: async (tenant, policy, probe) => {
      await guard.remove(tenant.hostName);
      const off = await probe();
      await guard.put(tenant.port(policy));
      try {
        return { off, on: await probe() };
      } finally {
        await guard.remove(tenant.hostName);
      }
    },
    close: async () => {
      await Promise.all(tenants.map((tenant) => tenant.close()));
      await sweepInstances(incus, prefix);
      await guard.removeAll();
      elements.close();
      await net.close();
      incus.close();
    },
  };
}

export interface HostService {
  readonly port: number;
  readonly received: readonly string[];
  close(): void;
}

/** A host service on all addresses, TCP and UDP on one port. */
export async function startHostService(): Promise<HostService> {
  const tcp = createServer((socket) => void socket.end());
  await new Promise<void>((resolve) => tcp.listen(0, '0.0.0.0', resolve));
  const { port } = tcp.address() as { port: number };
  const received: string[] = [];
  const udp = createSocket({ type: 'udp4', reuseAddr: true });
  udp.on('message', (bytes, peer) => {
    received.push(bytes.toString());
    udp.send(bytes, peer.port, peer.address);
  });
  await new Promise<void>((resolve) => udp.bind(port, resolve));
  const close = () => {
    tcp.close();
    udp.close();
  };
  return { port, received: received, close };
}
