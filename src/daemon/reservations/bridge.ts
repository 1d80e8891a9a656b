// Which bridge sessions are plugged into, and which of its addresses coid may give out. Pure.
import {
  type AddressRange,
  addressText,
  parseAddress,
  rangeSize,
  withoutRanges,
} from '../../addresses/ipv4.ts';
import { CoiError } from '../../errors.ts';
import type { Network, Profile } from '../../incus/shapes.ts';

export interface Bridge {
  readonly name: string;
  readonly gateway: string;
  readonly prefixLength: number;
  /** What neither DHCP nor the bridge itself uses. */
  readonly free: readonly AddressRange[];
}

/** The one that `coi setup` makes. */
export const ownBridge = 'coibr0';
const incusBridge = 'incusbr0';

/** Our own bridge, else that of the default profile, else Incus's usual one. Throws `network-unprotected` if none will do. */
export function chooseBridge(networks: readonly Network[], profile: Profile | undefined): Bridge {
  const devices = Object.values(profile?.devices ?? {}).filter(
    (device) => device['type'] === 'nic',
  );
  const ofProfile = devices.map((device) => device['network'] ?? device['parent']);
  for (const name of [ownBridge, ...ofProfile, incusBridge]) {
    const network = networks.find(
      (candidate) => candidate.name === name && candidate.managed && candidate.type === 'bridge',
    );
    const bridge = network && bridgeOf(network);
    if (bridge) return bridge;
  }
  throw new CoiError(
    'network-unprotected',
    'Incus has no managed bridge with an IPv4 network for sessions',
    { hint: 'Run `sudo coi setup`.' },
  );
}

function bridgeOf({ name, config }: Network): Bridge | undefined {
  const [gateway = '', length = ''] = (config['ipv4.address'] ?? '').split('/');
  const address = parseAddress(gateway);
  const prefixLength = Number(length);
  if (address === undefined || !/^\d{1,2}$/.test(length) || prefixLength < 8 || prefixLength > 30)
    return undefined;
  const size = 2 ** (32 - prefixLength);
  const first = address - (address % size);
  const hosts = withoutRanges({ from: first + 1, to: first + size - 2 }, [
    { from: address, to: address },
  ]);
  const dhcp = dhcpRanges(config['ipv4.dhcp.ranges'] ?? '');
  const apart =
    dhcp.length > 0 || config['ipv4.dhcp'] === 'false'
      ? hosts.flatMap((range) => withoutRanges(range, dhcp))
      : [];
  // Where DHCP has the whole network, its server leaves alone what a NIC has reserved: the upper half is rarely reached by leases.
  const free =
    rangeSize(apart) > 0
      ? apart
      : hosts.flatMap((range) => withoutRanges(range, [{ from: first, to: first + size / 2 - 1 }]));
  return { name, gateway: addressText(address), prefixLength, free };
}

/** `10.0.0.2-10.0.0.9, 10.0.0.20-10.0.0.29`, as Incus has it. */
function dhcpRanges(text: string): AddressRange[] {
  return text.split(',').flatMap((range) => {
    const [from, to] = range.split('-').map((end) => parseAddress(end.trim()));
    return from === undefined ? [] : [{ from, to: to ?? from }];
  });
}
