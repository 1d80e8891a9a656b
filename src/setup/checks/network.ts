// Checks of coi's own bridge, and of IP forwarding, which it needs.
import { CoiError } from '../../errors.ts';
import type { Network } from '../../incus/shapes.ts';
import { type Check, type CheckContext, type Finding, finding, ok } from '../check.ts';
import { withServer } from '../server.ts';
import {
  bridgeConfig,
  freeSubnet,
  nameServers,
  parseSubnet,
  routedSubnets,
  type Subnet,
} from '../subnet.ts';

export const bridgeName = 'coibr0';
/** Distinguishes coi's bridge from another bridge of that name. */
export const bridgeDescription = 'Sessions of coi';
const networksDir = '/var/lib/incus/networks';

const revivedLine = '\n# Brought up again by coi setup.';

export const bridge: Check = {
  id: 'network_bridge',
  title: 'Network bridge',
  group: 'NETWORKING',
  run: async (context) => {
    const plan = `create the bridge ${bridgeName} with an unused private network`;
    // An Incus that is not running may already have it: then there is nothing to plan.
    const known = (await context.host.kind(`${networksDir}/${bridgeName}`)) !== 'missing';
    return withServer(context, known ? undefined : plan, async (incus) => {
      const networks = await incus.networks({ signal: context.signal });
      const found = networks.find(({ name }) => name === bridgeName);
      if (!found) return finding('failed', `${bridgeName} does not exist`, {}, { plan });
      const judged = bridgeFinding(found);
      return judged.status === 'ok' && (await dnsmasqIsDead(context))
        ? finding('failed', 'its DHCP and DNS server has ended', judged.details, {
            plan: `bring ${bridgeName} up again`,
          })
        : judged;
    });
  },
  fix: async (context) => {
    const incus = await context.incus();
    const found = await incus.network(bridgeName, { signal: context.signal });
    if (found) {
      // A changed key makes Incus set the bridge up again, its DHCP server included; a comment changes nothing else.
      const lines = found.config['raw.dnsmasq'] ?? '';
      const revived = lines.endsWith(revivedLine)
        ? lines.slice(0, -revivedLine.length)
        : `${lines}${revivedLine}`;
      return incus.updateNetwork(
        bridgeName,
        { config: { ...found.config, 'raw.dnsmasq': revived } },
        { signal: context.signal },
      );
    }
    const networks = await incus.networks({ signal: context.signal });
    const subnet = freeSubnet(await usedSubnets(context, networks));
    if (!subnet)
      throw new CoiError(
        'setup-failed',
        'every private network that coi tries is in use on this host',
        {
          hint: `Create one manually: incus network create ${bridgeName} ipv4.address=A.B.C.1/22 ipv6.address=none ipv4.dhcp.ranges=...`,
        },
      );
    await incus.createNetwork(
      {
        name: bridgeName,
        type: 'bridge',
        description: bridgeDescription,
        config: bridgeConfig(subnet),
      },
      { signal: context.signal },
    );
  },
};

/** Judges the network with the bridge's name. */
export function bridgeFinding({ type, managed, config, status }: Network): Finding {
  const address = config['ipv4.address'] ?? '';
  const details = { address, dhcpRanges: config['ipv4.dhcp.ranges'] ?? '' };
  if (!managed || type !== 'bridge') {
    return finding(
      'failed',
      `${bridgeName} exists, but is not a bridge that Incus manages`,
      details,
      {
        hint: 'Remove or rename that interface, then run `coi setup`.',
      },
    );
  }
  if (status !== 'Created' && status !== '')
    return finding('failed', `${bridgeName} has the status ${status}`, details, {
      hint: `Run \`incus network info ${bridgeName}\` for details.`,
    });
  const subnet = parseSubnet(address);
  if (!subnet || subnet.prefix > 24) {
    return finding(
      'failed',
      `${bridgeName} has no IPv4 network of at least 256 addresses`,
      details,
      { hint: `Set ipv4.address of ${bridgeName} to a private /22.` },
    );
  }
  if (!leavesRoom(subnet, config['ipv4.dhcp.ranges'])) {
    return finding(
      'failed',
      `the DHCP range of ${bridgeName} leaves no addresses for sessions`,
      details,
      {
        hint: `Make it smaller: incus network set ${bridgeName} ipv4.dhcp.ranges=${bridgeConfig(subnet)['ipv4.dhcp.ranges']}`,
      },
    );
  }
  if (config['ipv4.nat'] !== 'true')
    return finding('warning', `${bridgeName} (${address}) has no NAT`, details, {
      hint: `Check that your network routes ${address}: otherwise sessions cannot reach the internet.`,
    });
  return ok(`${bridgeName} (${address})`, details);
}

/** Whether at least 64 addresses of the subnet are in no DHCP range. Without ranges Incus leases all of them. */
function leavesRoom({ base, prefix }: Subnet, ranges: string | undefined): boolean {
  if (!ranges) return false;
  const sizes = ranges.split(',').map((range) => {
    const [from, to] = range
      .trim()
      .split('-')
      .map((text) => parseSubnet(text)?.base ?? base);
    return (to ?? from ?? base) - (from ?? base) + 1;
  });
  return 2 ** (32 - prefix) - sizes.reduce((sum, size) => sum + size, 0) >= 64;
}

/** Only root can read the process id, and only root needs to know. */
async function dnsmasqIsDead({ host }: CheckContext): Promise<boolean> {
  const pidText = await host.readText(`${networksDir}/${bridgeName}/dnsmasq.pid`);
  const pid = Number(/^pid:\s*(\d+)/m.exec(pidText ?? '')?.[1] ?? Number.NaN);
  if (!Number.isInteger(pid)) return false;
  return !(await host.processes()).some((one) => one.pid === pid && one.name === 'dnsmasq');
}

async function usedSubnets(
  { host, signal }: CheckContext,
  networks: readonly Network[],
): Promise<Subnet[]> {
  const [routes, resolver] = await Promise.all([
    host.run(['ip', '-4', 'route', 'show', 'table', 'all'], { signal }),
    host.readText('/etc/resolv.conf'),
  ]);
  if (routes.status !== 0)
    throw new CoiError('setup-failed', 'the routes of this host cannot be read', {
      hint: 'Install iproute2.',
    });
  const managed = networks.flatMap(({ config }) => parseSubnet(config['ipv4.address'] ?? '') ?? []);
  return [...routedSubnets(routes.stdout), ...nameServers(resolver ?? ''), ...managed];
}

const forwardingPath = '/proc/sys/net/ipv4/ip_forward';
export const forwardingConfigPath = '/etc/sysctl.d/60-coi.conf';

export const forwarding: Check = {
  id: 'ip_forwarding',
  title: 'IP forwarding',
  group: 'NETWORKING',
  run: async ({ host }) => {
    const value = (await host.readText(forwardingPath))?.trim();
    if (value === '1') return ok('on');
    return finding(
      'failed',
      'off: sessions cannot reach the internet',
      {},
      { plan: 'enable IPv4 forwarding, now and at every boot' },
    );
  },
  fix: async ({ host }) => {
    await host.overwrite(forwardingPath, '1');
    await host.writeText(
      forwardingConfigPath,
      '# Written by `coi setup`: sessions reach the internet through this host.\nnet.ipv4.ip_forward = 1\n',
      0o644,
    );
  },
};
