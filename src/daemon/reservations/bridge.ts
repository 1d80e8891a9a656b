// Chooses the bridge for sessions and the addresses that coid may assign on it. Pure.
import {
  type AddressRange,
  addressText,
  parseAddress,
  rangeSize,
  subtractRanges,
} from '../../addresses/ipv4.ts';
import { CoiError } from '../../errors.ts';
import type { Network, Profile } from '../../incus/shapes.ts';

export interface Bridge {
  readonly name: string;
  readonly gateway: string;
  readonly prefixLength: number;
  /** Addresses that neither DHCP nor the bridge itself uses. */
  readonly free: readonly AddressRange[];
}

/** The bridge that `coi setup` creates. */
export const ownBridge = 'coibr0';
const incusBridge = 'incusbr0';

/** Our own bridge, else that of the default profile, else Incus's default. Throws `network-unprotected` if none is usable. */
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
  const hosts = subtractRanges({ from: first + 1, to: first + size - 2 }, [
    { from: address, to: address },
  ]);
  const dhcp = dhcpRanges(config['ipv4.dhcp.ranges'] ?? '');
  const apart =
    dhcp.length > 0 || config['ipv4.dhcp'] === 'false'
      ? hosts.flatMap((range) => subtractRanges(range, dhcp))
      : [];
  // If DHCP has the whole network, its server skips addresses reserved by a NIC, and its leases rarely reach the upper half.
  const free =
    rangeSize(apart) > 0
      ? apart
      : hosts.flatMap((range) =>
          subtractRanges(range, [{ from: first, to: first + size / 2 - 1 }]),
        );
  return { name, gateway: addressText(address), prefixLength, free };
}

/** Parses Incus's format: `10.0.0.2-10.0.0.9, 10.0.0.20-10.0.0.29`. */
function dhcpRanges(text: string): AddressRange[] {
  return text.split(',').flatMap((range) => {
    const [from, to] = range.split('-').map((end) => parseAddress(end.trim()));
    return from === undefined ? [] : [{ from, to: to ?? from }];
  });
}
